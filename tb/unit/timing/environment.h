// SPDX-License-Identifier: Apache-2.0
// Random device contexts and page tables of an IOMMU with the default capabilities, in a Machine. Software behaves:
// device contexts do not share tags unless they share tables, leaves do not lie inside other leaves, and a mutation
// says which commands make caches forget what was before.
#pragma once

#include <algorithm>

#include "choices.h"
#include "machine.h"

namespace iommusim::timing::test {

using translate::test::AddressSpace;
using translate::test::Machine;
namespace flags = translate::test::flags;

struct Command {
  std::uint64_t word0, word1;
};

class Environment {
 public:
  static constexpr std::uint64_t kTables = 0x40000000;  ///< guest-physical GiB of the tables

  /// One leaf of each stage that is on, and an IOVA that reaches both.
  struct Page {
    unsigned device;
    std::uint64_t iova;
    std::uint64_t gpa;
    unsigned first_level, second_level;
    bool first_napot, second_napot;  ///< one of 16 equal entries of a 64 KiB range
    bool global;
  };
  struct Device {
    std::uint32_t id;
    unsigned gscid, pscid;
    unsigned space;
    spec::DeviceContext context;
  };

  Environment(Choices& choices, Machine& machine, unsigned ddt_levels) : choices_(choices), machine_(machine) {
    const unsigned count = 2 + choices.below(4);
    const unsigned id_bits = ddt_levels == 3 ? 24 : 7 + 9 * (ddt_levels - 1);
    for (unsigned i = 0; i < count; ++i)
      add_device((choices.below(65536) * 0x101U + i) & static_cast<std::uint32_t>(base::mask_of(id_bits)));
    for (unsigned i = 0; i < 24; ++i) add_page(i);
  }

  const std::vector<Device>& devices() const { return devices_; }

  translate::Request request() {
    constexpr translate::Access kAccesses[] = {translate::Access::kRead, translate::Access::kRead,
                                               translate::Access::kWrite, translate::Access::kWrite,
                                               translate::Access::kAtomic};
    const Page& page = pages_[choices_.below(static_cast<unsigned>(pages_.size()))];
    std::uint64_t iova = page.iova + choices_.below(8) * 0x200;
    if (choices_.one_in(10)) iova ^= 1ULL << (12 + choices_.below(52));
    translate::Request request = Machine::request(devices_[page.device].id, iova, choices_.pick(kAccesses));
    if (choices_.one_in(24)) request.device.value ^= 1U << choices_.below(24);
    if (request.access == translate::Access::kRead) request.execute = choices_.one_in(3);
    if (choices_.one_in(32)) request.process_valid = true;
    if (choices_.one_in(64)) request.type = translate::AddressType::kTranslated;
    return request;
  }

  /// Changes one thing in memory; the commands after which it must be seen.
  std::vector<Command> mutate() {
    Page& page = pages_[choices_.below(static_cast<unsigned>(pages_.size()))];
    switch (choices_.below(12)) {
      case 0:
        return mutate_context(devices_[page.device]);
      case 1:
        return mutate_directory(devices_[page.device]);
      case 2:
        return mutate_failing(page);
      default:
        return mutate_leaf(page);
    }
  }

  /// Everything that any cache may hold.
  static std::vector<Command> forget_all() {
    using namespace spec;
    return {{opcode::kIodir, 0},
            {opcode::kIotinval, 0},
            {opcode::kIotinval | iotinval_w0::kFunc3.of(iotinval_func3::kGvma), 0}};
  }

 private:
  AddressSpace& space_of(const Device& device) { return spaces_[device.space]; }

  void add_device(std::uint32_t id) {
    constexpr unsigned kModes[] = {8, 9, 10, 0};
    for (const Device& other : devices_)
      if (other.id == id) return;
    if (!devices_.empty() && choices_.one_in(5)) {  // a second function in the same domain
      Device copy = devices_.front();
      copy.id = id;
      machine_.set_context(id, copy.context);
      devices_.push_back(copy);
      return;
    }
    const auto index = static_cast<unsigned>(devices_.size());
    const unsigned first = choices_.pick(kModes), second = choices_.pick(kModes);
    spaces_.push_back(machine_.space(first, second, choices_.below(3)));
    Device device{id, index + 1, index + 17, static_cast<unsigned>(spaces_.size() - 1), {}};
    device.context = machine_.attach(id, spaces_.back(), random_control(), device.gscid, device.pscid);
    devices_.push_back(device);
  }
  std::uint64_t random_control() {
    std::uint64_t tc = 0;
    if (choices_.flag()) tc |= spec::dc_tc::kSade.mask();
    if (choices_.flag()) tc |= spec::dc_tc::kGade.mask();
    if (choices_.one_in(8)) tc |= spec::dc_tc::kDtf.mask();
    return tc;
  }

  /// Where the leaves of a level lie: a region of its own for each.
  static std::uint64_t region(unsigned level, bool napot, unsigned n) {
    if (napot) return 0x20000000 + n * 0x10000ULL;
    if (level == 0) return 0x10000000 + n * 0x1000ULL;
    if (level == 1) return 0x80000000 + n * 0x200000ULL;
    if (level == 2) return std::uint64_t{3 + n} << 30;
    return std::uint64_t{1 + n} << (level == 3 ? 39 : 48);
  }
  /// A level that the mode has, deep superpages as often as small pages.
  unsigned level_of(const spec::PagingMode& mode) {
    return mode.bare() ? 0 : choices_.one_in(4) ? mode.levels - 1U : choices_.below(mode.levels);
  }

  std::uint64_t random_flags(bool nested_first, bool napot) {
    constexpr std::uint64_t kUsual[] = {flags::kAll,
                                        flags::kAll,
                                        flags::kAll,
                                        flags::kAll & ~flags::kD,
                                        flags::kAll & ~(flags::kA | flags::kD),
                                        flags::kAll & ~flags::kW,
                                        flags::kAll & ~flags::kX};
    constexpr std::uint64_t kOdd[] = {flags::kAll & ~(flags::kR | flags::kW),
                                      flags::kAll & ~flags::kU,
                                      flags::kAll & ~flags::kR,
                                      0,
                                      flags::kAll | 1ULL << 54,
                                      flags::kAll | 3ULL << 8};
    std::uint64_t result = choices_.one_in(5) ? choices_.pick(kOdd) : choices_.pick(kUsual);
    if (nested_first && choices_.one_in(6)) result |= flags::kG;
    // Privileged, "Svnapot": which of the 16 entries an update marks is open, so there is none.
    return napot ? result | flags::kA | flags::kD : result;
  }

  void add_page(unsigned n) {
    const unsigned index = choices_.below(static_cast<unsigned>(devices_.size()));
    AddressSpace& space = space_of(devices_[index]);
    Page page{index, 0, 0, level_of(space.first), level_of(space.second), false, false, false};
    page.first_napot = page.first_level == 0 && choices_.one_in(4);
    page.second_napot = page.second_level == 0 && choices_.one_in(4);
    page.gpa = region(page.second_level, page.second_napot, n);
    page.iova = page.gpa;
    if (!space.second.bare()) write_second(space, page);
    if (!space.first.bare()) {
      page.iova = region(page.first_level, page.first_napot, n);
      if (choices_.one_in(4)) page.iova |= ~base::mask_of(space.first.address_bits - 1U);
      if (space.second.bare()) page.gpa = std::uint64_t{1 + n} << 48;
      write_first(space, page);
      page.iova += page.gpa & base::mask_of(first_shift(space, page));
    }
    pages_.push_back(page);
  }
  static unsigned first_shift(const AddressSpace& space, const Page& page) {
    return page.first_napot ? 16 : space.first.shift(page.first_level);
  }
  static unsigned second_shift(const AddressSpace& space, const Page& page) {
    return page.second_napot ? 16 : space.second.shift(page.second_level);
  }
  void write_first(AddressSpace& space, Page& page) {
    const std::uint64_t bits = random_flags(!space.second.bare(), page.first_napot);
    page.global = page.global || (bits & flags::kG) != 0;
    const std::uint64_t target = (page.gpa & ~base::mask_of(first_shift(space, page))) >> 2 | bits;
    if (!page.first_napot) return space.write_pte(space.first, space.first_entry(page.iova, page.first_level), target);
    for (std::uint64_t i = 0; i < 16; ++i)
      space.write_pte(space.first, space.first_entry((page.iova & ~base::mask_of(16)) + i * 4096, 0), napot(target));
  }
  void write_second(AddressSpace& space, const Page& page) {
    const unsigned shift = second_shift(space, page);
    const std::uint64_t spa = shift >= 48 ? 1ULL << 48 : 1ULL << 50 | std::uint64_t{1 + choices_.below(9)} << shift;
    const std::uint64_t target = spa >> 2 | random_flags(false, page.second_napot);
    if (!page.second_napot)
      return space.write_pte(space.second, space.second_entry(page.gpa, page.second_level), target);
    for (std::uint64_t i = 0; i < 16; ++i)
      space.write_pte(space.second, space.second_entry(page.gpa + i * 4096, 0), napot(target));
  }
  static std::uint64_t napot(std::uint64_t pte) { return pte | 1ULL << 63 | 8ULL << 10; }

  std::vector<Command> mutate_leaf(Page& page) {
    const Device& device = devices_[page.device];
    AddressSpace& space = space_of(device);
    const bool first = space.second.bare() || (!space.first.bare() && choices_.flag());
    if (first && space.first.bare()) return {};
    if (!first) {
      write_second(space, page);
      return {forget_guest(device, page)};
    }
    const bool was_global = page.global;
    write_first(space, page);
    return {forget_page(device, page, was_global)};
  }
  /// IOMMU 3.1.1: any IOTINVAL.VMA that selects the page. Global entries ask for one without PSCID.
  Command forget_page(const Device& device, const Page& page, bool global) {
    using namespace spec;
    Command command{opcode::kIotinval, 0};
    if (!space_of(device).second.bare())
      command.word0 |= iotinval_w0::kGv.mask() | iotinval_w0::kGscid.of(device.gscid);
    if (!global && choices_.flag()) command.word0 |= iotinval_w0::kPscv.mask() | iotinval_w0::kPscid.of(device.pscid);
    if (!choices_.flag()) return command;
    return {command.word0 | iotinval_w0::kAv.mask(),
            iotinval_w1::kAddr.of(anywhere(page.iova, first_shift(space_of(device), page)))};
  }
  /// Page number of some address in the leaf's range: each of them names the leaf.
  std::uint64_t anywhere(std::uint64_t address, unsigned shift) {
    return (address ^ (choices_.number(8) & base::mask_of(shift))) >> 12;
  }
  Command forget_guest(const Device& device, const Page& page) {
    using namespace spec;
    Command command{opcode::kIotinval | iotinval_w0::kFunc3.of(iotinval_func3::kGvma), 0};
    if (choices_.one_in(4)) return command;
    command.word0 |= iotinval_w0::kGv.mask() | iotinval_w0::kGscid.of(device.gscid);
    if (!choices_.flag()) return command;
    return {command.word0 | iotinval_w0::kAv.mask(),
            iotinval_w1::kAddr.of(anywhere(page.gpa, second_shift(space_of(device), page)))};
  }

  std::vector<Command> mutate_context(Device& device) {
    constexpr spec::Field kBits[] = {spec::dc_tc::kV,    spec::dc_tc::kDtf,  spec::dc_tc::kSade,
                                     spec::dc_tc::kGade, spec::dc_tc::kSade, spec::dc_tc::kPdtv};
    std::uint64_t& tc = device.context.words[0];
    const bool usable = spec::dc_tc::kV.is_set(tc) && !spec::dc_tc::kPdtv.is_set(tc);
    tc = usable ? tc ^ choices_.pick(kBits).mask() : (tc | 1) & ~spec::dc_tc::kPdtv.mask();
    machine_.set_context(device.id, device.context);
    std::vector<Command> commands = forget_all();
    if (choices_.flag()) commands[0].word0 |= spec::iodir_w0::kDv.mask() | spec::iodir_w0::kDid.of(device.id);
    return commands;
  }
  std::vector<Command> mutate_directory(const Device& device) {
    const std::uint64_t address = machine_.directory_entry(device.id);
    if (choices_.one_in(3))
      machine_.memory.store(address, machine_.memory.load(address) ^ 1ULL << 12);  // reserved bit
    else
      toggle_failing(address);
    return forget_all();
  }
  std::vector<Command> mutate_failing(const Page& page) {
    AddressSpace& space = space_of(devices_[page.device]);
    if (!space.first.bare() && (space.second.bare() || choices_.flag()))
      toggle_failing(space.first_entry(page.iova, level_from(page.first_level, space.first)));
    else if (!space.second.bare())
      toggle_failing(space.second_entry(page.gpa, level_from(page.second_level, space.second)));
    return forget_all();
  }
  unsigned level_from(unsigned leaf, const spec::PagingMode& mode) { return leaf + choices_.below(mode.levels - leaf); }
  void toggle_failing(std::uint64_t address) {
    auto& failing = machine_.memory.failing;
    if (failing.size() > 2) return failing.clear();
    failing[address] = choices_.flag() ? translate::MemoryStatus::kAccessFault : translate::MemoryStatus::kCorrupt;
  }

  Choices& choices_;
  Machine& machine_;
  std::vector<AddressSpace> spaces_;
  std::vector<Device> devices_;
  std::vector<Page> pages_;
};

}  // namespace iommusim::timing::test
