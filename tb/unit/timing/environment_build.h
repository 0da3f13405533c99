// SPDX-License-Identifier: Apache-2.0
// How an Environment gets its devices: domains, contexts, process directories, interrupt files.
#pragma once

#include "environment.h"

namespace iommusim::timing::test {

inline unsigned Environment::random_first_mode(bool sxl) {
  const spec::Implementation& i = implementation();
  if (choices_.one_in(5)) return 0;
  if (sxl) return i.sv32 ? spec::iosatp_mode::kSv32 : 0;
  const unsigned modes[] = {i.sv39 ? 8U : 0U, i.sv48 ? 9U : 0U, i.sv57 ? 10U : 0U};
  return choices_.pick(modes);
}

inline unsigned Environment::random_second_mode() {
  const spec::Implementation& i = implementation();
  if (choices_.one_in(4)) return 0;
  if (rv32()) return i.sv32x4 ? spec::iohgatp_mode::kSv32x4 : 0;
  const unsigned modes[] = {i.sv39x4 ? 8U : 0U, i.sv48x4 ? 9U : 0U, i.sv57x4 ? 10U : 0U};
  return choices_.pick(modes);
}

inline std::uint64_t Environment::random_settings(bool nested) {
  using namespace spec;
  const Implementation& i = implementation();
  std::uint64_t tc = 0;
  if (i.amo_hwad && choices_.flag()) tc |= dc_tc::kSade.mask();
  if (i.amo_hwad && choices_.flag()) tc |= dc_tc::kGade.mask();
  if (choices_.one_in(8)) tc |= dc_tc::kDtf.mask();
  if (machine_.memory.first_stage_big_endian) tc |= dc_tc::kSbe.mask();
  if (rv32() || (i.gxl_writeable && i.sv32 && choices_.one_in(3))) tc |= dc_tc::kSxl.mask();
  if (!i.ats || choices_.one_in(4)) return tc;
  tc |= dc_tc::kEnAts.mask();
  if (i.t2gpa && nested && choices_.flag()) tc |= dc_tc::kT2gpa.mask();
  if (choices_.one_in(4)) return tc;
  return tc | dc_tc::kEnPri.mask() | (choices_.flag() ? dc_tc::kPrpr.mask() : 0);
}

inline unsigned Environment::add_space(unsigned domain, unsigned first_mode, bool sxl) {
  spaces_.push_back(
      {domains_[domain].guest.sibling(first_mode, sxl), 17 + static_cast<unsigned>(spaces_.size()), domain});
  return static_cast<unsigned>(spaces_.size() - 1);
}

inline void Environment::add_domain() {
  using namespace spec;
  const Implementation& i = implementation();
  const unsigned second = random_second_mode();
  domains_.push_back({static_cast<unsigned>(domains_.size()) + 1,
                      machine_.space(0, second, choices_.below(rv32() ? 2 : 3), rv32()),
                      0,
                      0,
                      0,
                      nullptr,
                      0,
                      {}});
  Domain& domain = domains_.back();
  domain.tc = random_settings(second != 0);
  const unsigned directories[] = {i.pd8 ? 1U : 0U, i.pd17 ? 2U : 0U, i.pd20 ? 3U : 0U, 0U};
  domain.directory_levels = choices_.pick(directories);
  if (domain.directory_levels != 0) {
    domain.processes = std::make_unique<ProcessTables>(machine_, domain.guest, domain.directory_levels);
    domain.tc |= dc_tc::kPdtv.mask() | (choices_.flag() ? dc_tc::kDpe.mask() : 0);
  }
  if (i.msi_flat && second != 0 && choices_.below(4) != 0) add_interrupt_files(domain);
}

/// The first device of a domain brings its users along; those that follow use the same tables.
inline void Environment::add_device(std::uint32_t id) {
  for (const Device& other : devices_)
    if (other.id == id) return;
  const auto index = static_cast<unsigned>(devices_.size());
  if (!devices_.empty() && choices_.one_in(4)) {
    devices_.push_back({id, devices_.front().domain, devices_.front().context});
    const std::vector<unsigned> originals = domains_[devices_.front().domain].users;
    for (const unsigned original : originals) {
      users_.push_back(users_[original]);
      users_.back().device = index;
    }
  } else {
    add_domain();
    devices_.push_back({id, static_cast<unsigned>(domains_.size() - 1), {}});
    add_users(index);
  }
  machine_.set_context(id, devices_.back().context);
}

inline void Environment::add_users(unsigned device) {
  using namespace spec;
  const unsigned index = devices_[device].domain;
  Domain& domain = domains_[index];
  const bool sxl = dc_tc::kSxl.is_set(domain.tc);
  if (domain.directory_levels == 0) {
    const unsigned space = add_space(index, random_first_mode(sxl), sxl);
    domain.users.push_back(static_cast<unsigned>(users_.size()));
    users_.push_back({device, space, false, false, 0});
    devices_[device].context = context_of(domain, spaces_[space]);
    return;
  }
  constexpr unsigned kProcessBits[] = {0, 8, 17, 20};
  const auto mask = static_cast<std::uint32_t>(base::mask_of(kProcessBits[domain.directory_levels]));
  std::vector<std::uint32_t> taken;
  for (unsigned i = 0; i < 3; ++i) {
    const bool is_default = i == 0 && dc_tc::kDpe.is_set(domain.tc);
    const std::uint32_t process = is_default ? 0 : static_cast<std::uint32_t>(choices_.number(3)) & mask;
    if (std::find(taken.begin(), taken.end(), process) != taken.end()) continue;
    taken.push_back(process);
    const unsigned space = add_space(index, random_first_mode(sxl), sxl);
    domain.users.push_back(static_cast<unsigned>(users_.size()));
    users_.push_back({device, space, true, !is_default, process});
    set_process(domain, users_.back(), spaces_[space]);
  }
  devices_[device].context = context_of(domain, spaces_.front());
}

inline spec::DeviceContext Environment::context_of(const Domain& domain, const Space& space) {
  using namespace spec;
  DeviceContext context;
  std::uint64_t ta = domain.directory_levels == 0 ? dc_ta::kPscid.of(space.pscid) : 0;
  if (implementation().qosid) ta |= dc_ta::kRcid.of(choices_.byte()) | dc_ta::kMcid.of(choices_.byte());
  context.words = {domain.tc | 1, domain.guest.iohgatp(domain.gscid), ta,
                   domain.directory_levels == 0 ? space.tables.fsc() : domain.processes->fsc()};
  if (domain.msi_table != 0) {
    context.words[4] = dc_msiptp::kMode.of(msiptp_mode::kFlat) | domain.msi_table >> 12;
    context.words[5] = domain.msi_mask;
    context.words[6] = kInterruptFiles >> 12;
  }
  return context;
}

inline void Environment::set_process(const Domain& domain, const User& user, const Space& space) {
  using namespace spec;
  std::uint64_t ta = pc_ta::kV.mask() | pc_ta::kPscid.of(space.pscid);
  if (!choices_.one_in(4)) ta |= pc_ta::kEns.mask();
  if (choices_.flag()) ta |= pc_ta::kSum.mask();
  const std::uint64_t at = domain.processes->entry(user.process);
  machine_.memory.store(at, ta);
  machine_.memory.store(at + 8, space.tables.fsc());
}

/// Eight files or fewer, and memory around them in the same 2 or 4 MiB.
inline void Environment::add_interrupt_files(Domain& domain) {
  constexpr std::uint64_t kMasks[] = {7, 0x15, 3, 0x101};
  domain.msi_mask = choices_.pick(kMasks);
  domain.msi_table = machine_.frames.take();
  for (std::uint64_t file = 0; file < 8; ++file) write_interrupt_file(domain, file);
  const std::uint64_t target = (domain.guest.second.pte_bytes == 4 ? 1ULL << 33 : 1ULL << 50) | 1ULL << 24;
  domain.guest.map_second(kInterruptFiles, target, 1);
}

}  // namespace iommusim::timing::test
