// SPDX-License-Identifier: Apache-2.0
// A process directory in memory (in guest memory under a second stage), for one device of a timed machine.
#pragma once

#include "machine.h"

namespace iommusim::timing::test {

class ProcessTables {
 public:
  /// `space` gives the second stage, and is where set() sends a process when told no other.
  ProcessTables(translate::test::Machine& machine, translate::test::AddressSpace& space, unsigned levels)
      : machine_(machine), space_(space), directory_(machine.memory, space, levels) {}

  std::uint64_t fsc() const { return directory_.fsc(); }
  /// A context of `device` that uses this directory; `tc` besides V and PDTV.
  void attach(std::uint32_t device, std::uint64_t tc = 0, unsigned gscid = 1) {
    spec::DeviceContext context;
    context.words = {tc | spec::dc_tc::kPdtv.mask() | 1, space_.iohgatp(gscid), 0, fsc()};
    machine_.set_context(device, context);
  }
  /// System-physical address of the entry of this level; tables above it are made when missing.
  std::uint64_t entry(std::uint32_t process, unsigned level = 0) { return directory_.entry(process, level); }
  void set(std::uint32_t process, unsigned pscid, std::uint64_t ta = 1) {
    directory_.set(process, {{ta | spec::pc_ta::kPscid.of(pscid), space_.fsc()}});
  }

 private:
  translate::test::Machine& machine_;
  translate::test::AddressSpace& space_;
  spec::ProcessDirectory<translate::test::SparseMemory> directory_;
};

}  // namespace iommusim::timing::test
