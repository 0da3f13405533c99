// SPDX-License-Identifier: Apache-2.0
// A process directory in memory (in guest memory under a second stage), for one device of a timed machine.
#pragma once

#include "machine.h"

namespace iommusim::timing::test {

class ProcessTables {
 public:
  /// `space` gives the second stage, and is where set() sends a process when told no other.
  ProcessTables(translate::test::Machine& machine, translate::test::AddressSpace& space, unsigned levels)
      : machine_(machine), space_(space), levels_(levels), root_(take()) {}

  std::uint64_t fsc() const { return spec::dc_fsc::kMode.of(levels_) | root_ >> 12; }
  /// A context of `device` that uses this directory; `tc` besides V and PDTV.
  void attach(std::uint32_t device, std::uint64_t tc = 0, unsigned gscid = 1) {
    spec::DeviceContext context;
    context.words = {tc | spec::dc_tc::kPdtv.mask() | 1, space_.iohgatp(gscid), 0, fsc()};
    machine_.set_context(device, context);
  }
  /// System-physical address of the entry of this level; tables above it are made when missing.
  std::uint64_t entry(std::uint32_t process, unsigned level = 0) {
    std::uint64_t table = root_;
    for (unsigned i = levels_ - 1; i > level; --i) {
      const std::uint64_t address = space_.spa_of_table(table) + base::bits(process, i == 2 ? 17 : 8, 9) * 8;
      if (machine_.memory.load(address) == 0) machine_.memory.store(address, take() >> 2 | 1);
      table = spec::pdte::kPpn.get(machine_.memory.load(address)) << 12;
    }
    const std::uint64_t offset = level == 0 ? (process & 0xff) * 16 : base::bits(process, level == 2 ? 17 : 8, 9) * 8;
    return space_.spa_of_table(table) + offset;
  }
  void set(std::uint32_t process, unsigned pscid, std::uint64_t ta = 1) {
    machine_.memory.store(entry(process), ta | spec::pc_ta::kPscid.of(pscid));
    machine_.memory.store(entry(process) + 8, space_.fsc());
  }

 private:
  std::uint64_t take() {
    if (space_.second.bare()) return machine_.frames.take();
    const std::uint64_t table = machine_.guest_frames.take();
    space_.map_guest(table);
    return table;
  }

  translate::test::Machine& machine_;
  translate::test::AddressSpace& space_;
  unsigned levels_;
  std::uint64_t root_;
};

}  // namespace iommusim::timing::test
