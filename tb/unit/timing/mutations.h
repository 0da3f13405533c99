// SPDX-License-Identifier: Apache-2.0
// How software changes the tables of an Environment: leaves, process contexts, interrupt files and settings, each with
// the commands that IOMMU 3.1 asks for and no more; and damage of any structure (a bit, an access that fails, data that
// is corrupt), after which all is forgotten. At most three damages last at a time.
#pragma once

#include "environment.h"

namespace iommusim::timing::test {

struct Command {
  std::uint64_t word0, word1;
};

class Mutations {
 public:
  explicit Mutations(Environment& environment)
      : environment_(environment), choices_(environment.choices()), memory_(environment.machine().memory) {}

  /// Changes one thing in memory; the commands after which it must be seen.
  std::vector<Command> mutate() {
    auto& pages = environment_.pages();
    std::size_t number = choices_.below(static_cast<unsigned>(pages.size()));
    if (choices_.one_in(4))  // what few pages have must be changed often enough
      while (number + 1 < pages.size() && !pages[number].interrupt_file) ++number;
    Environment::Page& page = pages[number];
    switch (choices_.below(16)) {
      case 0:
        return change_settings(environment_.domain_of(page));
      case 1:
      case 2:
      case 3:
      case 4:
        return damage(page);
      case 5:
        return change_process(page);
      case 6:
        return change_interrupt_file(environment_.domain_of(page));
      case 7:
        return lose_table(page);
      default:
        return change_leaf(page);
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
  // Leaves.
  std::vector<Command> change_leaf(Environment::Page& page) {
    const AddressSpace& space = environment_.space_of(page).tables;
    if (page.interrupt_file && space.first.bare()) return {};
    const bool first = page.interrupt_file || space.second.bare() || (!space.first.bare() && choices_.flag());
    if (first && space.first.bare()) return {};
    const bool was_valid = is_valid(page, first);
    const bool was_global = page.global;
    if (first)
      environment_.write_first(page);
    else
      environment_.write_second(page);
    // IOMMU 2.8: what was not valid is in no cache.
    if (!was_valid && choices_.flag()) return {};
    return {first ? forget_page(page, was_global) : forget_guest(page)};
  }
  bool is_valid(const Environment::Page& page, bool first) {
    AddressSpace& space = environment_.space_of(page).tables;
    const std::uint64_t entry =
        first ? space.first_entry(page.iova, page.first_level) : space.second_entry(page.gpa, page.second_level);
    const bool narrow = (first ? space.first : space.second).pte_bytes == 4;
    return spec::pte::kV.is_set(narrow ? memory_.load32(entry) : memory_.load(entry));
  }
  /// IOMMU 3.1.1: any IOTINVAL.VMA that selects the page. Global entries ask for one without PSCID.
  Command forget_page(const Environment::Page& page, bool global) {
    using namespace spec;
    const Environment::Space& space = environment_.space_of(page);
    Command command{opcode::kIotinval, 0};
    if (!space.tables.second.bare())
      command.word0 |= iotinval_w0::kGv.mask() | iotinval_w0::kGscid.of(environment_.domain_of(page).gscid);
    if (!global && choices_.flag()) command.word0 |= iotinval_w0::kPscv.mask() | iotinval_w0::kPscid.of(space.pscid);
    return choices_.flag() ? command : with_address(command, page.iova, environment_.first_shift(page));
  }
  Command forget_guest(const Environment::Page& page) {
    using namespace spec;
    Command command{opcode::kIotinval | iotinval_w0::kFunc3.of(iotinval_func3::kGvma), 0};
    if (choices_.one_in(4)) return command;
    command.word0 |= iotinval_w0::kGv.mask() | iotinval_w0::kGscid.of(environment_.domain_of(page).gscid);
    return choices_.flag() ? command : with_address(command, page.gpa, environment_.second_shift(page));
  }
  /// Any address in the leaf's range names the leaf; so does a range around one of them (IOMMU 8.3). With NL = 1
  /// non-leaf entries go as well (IOMMU 8.2), which does no harm.
  Command with_address(Command command, std::uint64_t address, unsigned shift) {
    using namespace spec;
    const std::uint64_t number = (address ^ (choices_.number(8) & base::mask_of(shift))) >> 12;
    command.word0 |= iotinval_w0::kAv.mask();
    if (environment_.implementation().nl && choices_.flag()) command.word0 |= iotinval_w0::kNl.mask();
    if (!environment_.implementation().s || !choices_.flag()) return {command.word0, iotinval_w1::kAddr.of(number)};
    const unsigned ones = choices_.below(12);  // a range of 2^(ones + 1) pages
    const std::uint64_t coded = (number & ~base::mask_of(ones + 1)) | base::mask_of(ones);
    return {command.word0, iotinval_w1::kAddr.of(coded) | iotinval_w1::kS.mask()};
  }

  // Contexts.
  /// A, D and DTF settings of all devices of a domain.
  std::vector<Command> change_settings(Environment::Domain& domain) {
    using namespace spec;
    constexpr Field kBits[] = {dc_tc::kDtf, dc_tc::kSade, dc_tc::kGade};
    if (!scars_.empty()) return heal();
    const Field bit = environment_.implementation().amo_hwad ? choices_.pick(kBits) : dc_tc::kDtf;
    domain.tc ^= bit.mask();
    std::vector<Command> commands = forget_all();
    const bool each = choices_.flag();
    if (each) commands.erase(commands.begin());
    for (Environment::Device& device : environment_.devices()) {
      if (&environment_.domains()[device.domain] != &domain) continue;
      device.context.words[0] = domain.tc | 1;
      environment_.machine().set_context(device.id, device.context);
      if (each) commands.push_back({opcode::kIodir | iodir_w0::kDv.mask() | iodir_w0::kDid.of(device.id), 0});
    }
    return commands;
  }
  /// IOMMU 3.1.3: the process context of each device that uses the directory.
  std::vector<Command> change_process(const Environment::Page& page) {
    using namespace spec;
    constexpr std::uint64_t kBits[] = {pc_ta::kEns.mask(), pc_ta::kSum.mask(), pc_ta::kSum.mask()};
    const Environment::User& user = environment_.user_of(page);
    if (!user.has_context || !scars_.empty()) return heal();
    Environment::Domain& domain = environment_.domain_of(page);
    const std::uint64_t at = domain.processes->entry(user.process);
    memory_.store(at, memory_.load(at) ^ choices_.pick(kBits));
    std::vector<Command> commands;
    for (const Environment::Device& device : environment_.devices())
      if (&environment_.domains()[device.domain] == &domain)
        commands.push_back({opcode::kIodir | iodir_w0::kFunc3.of(iodir_func3::kInvalPdt) | iodir_w0::kDv.mask() |
                                iodir_w0::kDid.of(device.id) | iodir_w0::kPid.of(user.process),
                            0});
    return commands;
  }
  /// The MSI page table belongs to the second stage (IOMMU 2.8).
  std::vector<Command> change_interrupt_file(const Environment::Domain& domain) {
    using namespace spec;
    if (domain.msi_table == 0 || !scars_.empty()) return heal();
    environment_.write_interrupt_file(domain, choices_.below(8));
    return {{opcode::kIotinval | iotinval_w0::kFunc3.of(iotinval_func3::kGvma) | iotinval_w0::kGv.mask() |
                 iotinval_w0::kGscid.of(domain.gscid),
             0}};
  }

  // Tables of guests.
  /// The second stage maps the page of a first-stage table, or of a process directory, to another one that is empty.
  /// IOTINVAL.GVMA tells of that; what lay behind the table is named piece by piece, as leaves and process contexts.
  std::vector<Command> lose_table(const Environment::Page& page) {
    using namespace spec;
    Environment::Domain& domain = environment_.domain_of(page);
    AddressSpace& space = environment_.space_of(page).tables;
    const Environment::User& user = environment_.user_of(page);
    if (scars_.size() >= 3 || space.second.bare() || space.second_leaf_level() != 0) return heal();
    const bool directory = user.has_context && choices_.flag();
    if (!directory && space.first.bare()) return heal();
    const std::uint64_t entry_address =
        directory ? domain.processes->entry(user.process, choices_.below(domain.directory_levels))
                  : space.first_entry(page.iova, level_from(page.first_level, space.first));
    const std::uint64_t gpa = base::align_down(entry_address - space.guest_offset(), 4096);
    const std::uint64_t leaf = space.second_entry(gpa, 0);
    for (const Scar& scar : scars_)
      if (scar.address == (leaf & ~7ULL)) return heal();
    scars_.push_back({leaf & ~7ULL, memory_.load(leaf & ~7ULL)});
    const std::uint64_t empty = environment_.machine().frames.take();
    space.write_pte(space.second, leaf, pte::kPpn.set(space.read_pte(space.second, leaf), empty >> 12));
    const std::uint64_t vm = iotinval_w0::kGv.mask() | iotinval_w0::kGscid.of(domain.gscid);
    std::vector<Command> commands{
        {opcode::kIotinval | iotinval_w0::kFunc3.of(iotinval_func3::kGvma) | iotinval_w0::kAv.mask() | vm,
         iotinval_w1::kAddr.of(gpa >> 12)}};
    if (directory)
      forget_processes(domain, commands);
    else
      for (const Environment::Page& other : environment_.pages())
        if (&environment_.domain_of(other) == &domain)
          commands.push_back(
              {opcode::kIotinval | iotinval_w0::kAv.mask() | vm, iotinval_w1::kAddr.of(other.iova >> 12)});
    return commands;
  }
  void forget_processes(const Environment::Domain& domain, std::vector<Command>& commands) {
    using namespace spec;
    for (const Environment::Device& device : environment_.devices())
      for (const unsigned number : domain.users)
        if (&environment_.domains()[device.domain] == &domain)
          commands.push_back({opcode::kIodir | iodir_w0::kFunc3.of(iodir_func3::kInvalPdt) | iodir_w0::kDv.mask() |
                                  iodir_w0::kDid.of(device.id) | iodir_w0::kPid.of(environment_.user(number).process),
                              0});
  }

  // Damage.
  struct Target {
    std::uint64_t address;
    std::uint64_t mask;  ///< what may be flipped there
  };
  /// Of a device context, without what would give devices of one domain different tables or settings: V, EN_ATS,
  /// reserved bits, modes that do not exist, a root that is not aligned.
  Target context_target(const Environment::Page& page) {
    constexpr std::uint64_t kMasks[8][4] = {{1, 2, 1ULL << 54, 1},
                                            {1ULL << 62, 1, 1ULL << 62, 2},
                                            {8, 8, 8, 8},
                                            {1ULL << 62, 1ULL << 58, 1ULL << 62, 1ULL << 58},
                                            {1ULL << 62, 1ULL << 58, 1ULL << 62, 1ULL << 58},
                                            {1ULL << 51, 1ULL << 60, 1ULL << 51, 1ULL << 60},
                                            {1ULL << 51, 1ULL << 60, 1ULL << 51, 1ULL << 60},
                                            {1, 1, 1, 1}};
    const Machine& machine = environment_.machine();
    const unsigned word = choices_.below(machine.context_bytes() / 8);
    return {environment_.machine().directory_entry(environment_.device_of(page).id) + word * 8,
            choices_.pick(kMasks[word])};
  }
  /// V, reserved bits, modes that do not exist, a page number beyond memory.
  Target directory_target(const Environment::Page& page) {
    constexpr std::uint64_t kMasks[] = {1, 1, 2, 1ULL << 58, 1ULL << 50};
    constexpr std::uint64_t kProcessMasks[2][2] = {{1, 8}, {1ULL << 62, 1ULL << 54}};
    const Environment::User& user = environment_.user_of(page);
    const Environment::Domain& domain = environment_.domain_of(page);
    if (!user.has_context || choices_.flag()) {
      const unsigned level = choices_.below(environment_.ddt_levels());
      if (level == 0) return context_target(page);
      return {environment_.machine().directory_entry(environment_.device_of(page).id, level), choices_.pick(kMasks)};
    }
    const unsigned level = choices_.below(domain.directory_levels);
    if (level != 0) return {domain.processes->entry(user.process, level), choices_.pick(kMasks)};
    const unsigned word = choices_.below(2);
    return {domain.processes->entry(user.process) + word * 8, choices_.pick(kProcessMasks[word])};
  }
  /// V; R, W; W; X; U; A; reserved bits; a page number beyond PAS or memory. Not of one of 16 entries that must agree.
  Target table_target(const Environment::Page& page) {
    constexpr std::uint64_t kMasks[] = {1, 1, 6, 4, 8, 16, 64, 1ULL << 54, 1ULL << 62, 1ULL << 50};
    AddressSpace& space = environment_.space_of(page).tables;
    const std::uint64_t mask = choices_.pick(kMasks);
    const bool first = !space.first.bare(), second = !space.second.bare();
    if (first && second && choices_.below(3) == 0)  // of the page that holds the first-stage entry
      return {space.second_entry(space.first_entry_gpa(page.iova, page.first_level), space.second_leaf_level()), mask};
    if (first && (!second || page.interrupt_file || choices_.flag()))
      return {space.first_entry(page.iova, level_from(page.first_level + (page.first_napot ? 1 : 0), space.first)),
              mask};
    if (!second || page.interrupt_file) return context_target(page);
    return {space.second_entry(page.gpa, level_from(page.second_level + (page.second_napot ? 1 : 0), space.second)),
            mask};
  }
  Target any_target(const Environment::Page& page) {
    const Environment::Domain& domain = environment_.domain_of(page);
    const unsigned kind = choices_.below(6);
    if (page.interrupt_file && kind < 4)
      return {domain.msi_table + Environment::file_of(domain, page.gpa) * 16, 1ULL << choices_.below(10)};
    return kind % 2 == 0 ? directory_target(page) : table_target(page);
  }
  unsigned level_from(unsigned leaf, const spec::PagingMode& mode) { return leaf + choices_.below(mode.levels - leaf); }

  std::vector<Command> damage(const Environment::Page& page) {
    if (scars_.size() >= 3) return heal();
    const Target target = any_target(page);
    const std::uint64_t word_address = target.address & ~7ULL;
    for (const Scar& scar : scars_)
      if (scar.address == word_address) return heal();
    scars_.push_back({word_address, memory_.load(word_address)});
    if (choices_.below(page.interrupt_file ? 4 : 2) != 0)
      memory_.failing[target.address] =
          choices_.flag() ? translate::MemoryStatus::kAccessFault : translate::MemoryStatus::kCorrupt;
    else  // entries of 4 bytes have two in a word
      memory_.store(word_address, memory_.load(word_address) ^ target.mask << 8 * (target.address & 4));
    return forget_all();
  }
  std::vector<Command> heal() {
    for (const Scar& scar : scars_) memory_.store(scar.address, scar.word);
    for (const Scar& scar : scars_)
      memory_.failing.erase(memory_.failing.lower_bound(scar.address), memory_.failing.lower_bound(scar.address + 8));
    scars_.clear();
    return forget_all();
  }

  struct Scar {
    std::uint64_t address, word;
  };
  Environment& environment_;
  Choices& choices_;
  translate::test::SparseMemory& memory_;
  std::vector<Scar> scars_;
};

}  // namespace iommusim::timing::test
