// SPDX-License-Identifier: Apache-2.0
// The pages of an Environment: leaves of all sizes in both stages, with any permission, and MSI page-table entries.
#pragma once

#include "environment.h"

namespace iommusim::timing::test {

/// Where the leaves of a level lie: a region of its own for each.
inline std::uint64_t Environment::region(unsigned level, bool napot, unsigned n) {
  if (napot) return 0x20000000 + n * 0x10000ULL;
  if (level == 0) return 0x10000000 + n * 0x1000ULL;
  if (level == 1) return 0x80000000 + n * 0x400000ULL;
  if (level == 2) return std::uint64_t{4 + n} << 30;
  return std::uint64_t{1 + n} << (level == 3 ? 39 : 48);
}

/// A level that the mode has, deep superpages as often as small pages.
inline unsigned Environment::level_of(const spec::PagingMode& mode, unsigned limit) {
  if (mode.bare()) return 0;
  const unsigned levels = std::min<unsigned>(mode.levels, limit);
  return choices_.one_in(4) ? levels - 1U : choices_.below(levels);
}

inline std::uint64_t Environment::random_flags(const spec::PagingMode& mode, bool may_be_global, bool is_napot) {
  constexpr std::uint64_t kUsual[] = {flags::kAll,
                                      flags::kAll,
                                      flags::kAll,
                                      flags::kAll & ~flags::kD,
                                      flags::kAll & ~(flags::kA | flags::kD),
                                      flags::kAll & ~flags::kW,
                                      flags::kAll & ~flags::kX};
  constexpr std::uint64_t kOdd[] = {flags::kAll & ~(flags::kR | flags::kW),
                                    flags::kAll & ~flags::kU,
                                    flags::kAll & ~flags::kU,
                                    flags::kAll & ~flags::kR,
                                    0,
                                    flags::kAll | 1ULL << 54,
                                    flags::kAll | 3ULL << 8};
  std::uint64_t result = choices_.one_in(5) ? choices_.pick(kOdd) : choices_.pick(kUsual);
  if (may_be_global && choices_.one_in(6)) result |= flags::kG;
  if (mode.pte_bytes == 8 && choices_.one_in(6)) result |= spec::pte::kPbmt.of(1 + choices_.below(3));
  if (mode.pte_bytes == 8 && choices_.one_in(12)) result |= spec::pte::kRsw60t59.of(1 + choices_.below(3));
  // Privileged, "Svnapot": which of the 16 entries an update marks is open, so there is none.
  return is_napot ? result | flags::kA | flags::kD : result;
}

namespace detail {
inline std::uint64_t napot(std::uint64_t pte) { return pte | spec::pte::kN.mask() | 8ULL << 10; }
}  // namespace detail

inline void Environment::write_first(Page& page) {
  AddressSpace& space = space_of(page).tables;
  const std::uint64_t bits = random_flags(space.first, has_global_pages(page), page.first_napot);
  page.global = page.global || (bits & flags::kG) != 0;
  const std::uint64_t target = (page.gpa & ~base::mask_of(first_shift(page))) >> 2 | bits;
  if (!page.first_napot) return space.write_pte(space.first, space.first_entry(page.iova, page.first_level), target);
  for (std::uint64_t i = 0; i < 16; ++i)
    space.write_pte(space.first, space.first_entry((page.iova & ~base::mask_of(16)) + i * 4096, 0),
                    detail::napot(target));
}

inline void Environment::write_second(const Page& page) {
  AddressSpace& space = space_of(page).tables;
  const unsigned shift = second_shift(page);
  const std::uint64_t beyond_memory = space.second.pte_bytes == 4 ? 1ULL << 33 : 1ULL << 50;
  const std::uint64_t spa = shift >= 48 ? 1ULL << 48 : beyond_memory | std::uint64_t{1 + choices_.below(9)} << shift;
  const std::uint64_t target = spa >> 2 | random_flags(space.second, false, page.second_napot);
  if (!page.second_napot) return space.write_pte(space.second, space.second_entry(page.gpa, page.second_level), target);
  for (std::uint64_t i = 0; i < 16; ++i)
    space.write_pte(space.second, space.second_entry(page.gpa + i * 4096, 0), detail::napot(target));
}

/// Pending and enable bits in turn.
inline std::uint64_t Environment::resident_file(const Domain& domain, std::uint64_t file) {
  return 0x88000000000ULL + (domain.gscid * 8 + file) * 512;
}

/// AIA 9.5; one in four is invalid or misconfigured.
inline void Environment::write_interrupt_file(const Domain& domain, std::uint64_t file) {
  using namespace spec;
  std::uint64_t word0 =
      msi_pte_w0::kV.mask() | msi_pte_w0::kM.of(msi_pte_mode::kBasic) | msi_pte_w0::kPpn.of(0x99000U + choices_.byte());
  std::uint64_t word1 = choices_.byte();
  switch (choices_.below(8)) {
    case 0:
      word0 ^= choices_.flag() ? msi_pte_w0::kV.mask() : msi_pte_w0::kC.mask();
      break;
    case 1:
      word0 |= 1ULL << 3;
      break;
    case 2:
    case 3:
    case 4:
      word0 = msi_pte_mrif_w0::kV.mask() | msi_pte_mrif_w0::kM.of(msi_pte_mode::kMrif) |
              msi_pte_mrif_w0::kMrifAddress.of(resident_file(domain, file) >> 9);
      // Each has a notice page of its own: what several messages leave there does not depend on their order.
      for (unsigned i = 0; i < 32; ++i)  // half of the interrupts are enabled
        machine_.memory.store(resident_file(domain, file) + 16 * i + 8, 0xf0f0f0f0f0f0f0f0ULL);
      word1 = msi_pte_mrif_w1::kNppn.of(0x77000U + domain.gscid * 8 + file) |
              msi_pte_mrif_w1::kNid.of(choices_.byte()) | msi_pte_mrif_w1::kN10.of(choices_.byte() & 1U);
      break;
    default:
      break;
  }
  machine_.memory.store(domain.msi_table + file * 16, word0);
  machine_.memory.store(domain.msi_table + file * 16 + 8, word1);
}

/// The page becomes that of an interrupt file; a first-stage leaf may be large enough to hold them all.
inline bool Environment::aim_at_interrupt_file(Page& page, unsigned n) {
  const Domain& domain = domain_of(page);
  if (domain.msi_table == 0 || choices_.one_in(3)) return false;
  page.interrupt_file = true;
  page.gpa = kInterruptFiles | (choices_.number(2) & domain.msi_mask) << 12;
  page.iova = page.gpa;
  page.first_napot = page.second_napot = false;
  page.second_level = 1;
  if (space_of(page).tables.first.bare()) return true;
  page.first_level = std::min(page.first_level, 1U);
  page.iova = region(page.first_level, false, n);
  write_first(page);
  page.iova += page.gpa & base::mask_of(first_shift(page));
  return true;
}

inline void Environment::add_page(unsigned n) {
  const unsigned user = choices_.below(static_cast<unsigned>(users_.size()));
  Page page{user, 0, 0, 0, 0, false, false, false, false};
  const AddressSpace& space = space_of(page).tables;
  // With SXL = 1 guest-physical addresses have 34 bits, whatever the second stage's mode (IOMMU 2.1.3.1).
  const bool narrow = space.first.pte_bytes == 4 || spec::dc_tc::kSxl.is_set(domain_of(page).tc);
  page.first_level = level_of(space.first, 5);
  page.second_level = level_of(space.second, narrow ? 2 : 5);
  page.first_napot = space.first.pte_bytes == 8 && page.first_level == 0 && choices_.one_in(4);
  page.second_napot = space.second.pte_bytes == 8 && page.second_level == 0 && choices_.one_in(4);
  if (!aim_at_interrupt_file(page, n)) {
    page.gpa = region(page.second_level, page.second_napot, n);
    page.iova = page.gpa;
    if (!space.second.bare()) write_second(page);
    if (!space.first.bare()) {
      page.iova = region(page.first_level, page.first_napot, n);
      if (space.first.address_bits != 32 && choices_.one_in(4))
        page.iova |= ~base::mask_of(space.first.address_bits - 1U);
      if (space.second.bare()) page.gpa = std::uint64_t{1 + n} << (space.first.pte_bytes == 4 ? 24 : 48);
      write_first(page);
      page.iova += page.gpa & base::mask_of(first_shift(page));
    }
  }
  pages_.push_back(page);
}

}  // namespace iommusim::timing::test
