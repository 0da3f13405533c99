// SPDX-License-Identifier: Apache-2.0
// Random tables against an independent walker: recursive, without asks or caches, written from the Privileged
// specification's algorithm for one access at a time.
#include "translate/page_walk.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <optional>

#include "machine.h"

namespace iommusim::translate::test {

/// What the naive walker finds: an address, or the stage that faults (with the GPA for the second stage).
struct Found {
  std::optional<std::uint64_t> address;
  bool guest_fault = false;
  std::uint64_t gpa = 0;
  bool implicit = false;
};

class NaiveWalker {
 public:
  NaiveWalker(const SparseMemory& memory, const AddressSpace& space, bool write)
      : memory_(memory), space_(space), write_(write) {}

  Found translate(std::uint64_t iova) const {
    if (space_.first_root == 0) return second(iova, false, write_);
    const int bits = space_.first.address_bits;
    const auto canonical = static_cast<std::uint64_t>(static_cast<std::int64_t>(iova << (64 - bits)) >> (64 - bits));
    if (canonical != iova) return {};
    std::uint64_t table = space_.first_root;
    for (int level = space_.first.levels - 1; level >= 0; --level) {
      const std::uint64_t vpn = iova >> (12 + 9 * level) & 0x1ff;
      const Found entry = second(table + 8 * vpn, true, false);
      if (!entry.address) return entry;
      const std::uint64_t pte = memory_.load(*entry.address);
      const auto leaf = page(pte, level, iova, true, write_);
      if (leaf) return second(*leaf, false, write_);
      if (!pointer(pte)) return {};
      table = (pte >> 10 & ((1ULL << 44) - 1)) << 12;
    }
    return {};
  }

 private:
  Found second(std::uint64_t gpa, bool implicit, bool write) const {
    if (space_.second_root == 0) return {gpa};
    const Found fault{std::nullopt, true, gpa, implicit};
    if (gpa >> space_.second.address_bits) return fault;
    std::uint64_t table = space_.second_root;
    for (int level = space_.second.levels - 1; level >= 0; --level) {
      const std::uint64_t index_mask = level == space_.second.levels - 1 ? 0x7ff : 0x1ff;
      const std::uint64_t pte = memory_.load(table + 8 * (gpa >> (12 + 9 * level) & index_mask));
      const auto leaf = page(pte, level, gpa, true, write);
      if (leaf) return {*leaf};
      if (!pointer(pte)) return fault;
      table = (pte >> 10 & ((1ULL << 44) - 1)) << 12;
    }
    return fault;
  }
  static bool pointer(std::uint64_t pte) { return (pte & 0xdf) == 1 && pte >> 54 == 0; }
  /// The address that a good leaf with the needed permission gives.
  static std::optional<std::uint64_t> page(std::uint64_t pte, int level, std::uint64_t address, bool user, bool write) {
    const bool r = pte & 2, w = pte & 4, x = pte & 8, u = pte & 16, a = pte & 64, d = pte & 128;
    if (!(pte & 1) || (w && !r) || (!r && !x)) return std::nullopt;
    if (pte >> 54 & 0x1ff) return std::nullopt;  // bits 62:54: reserved, Svpbmt, Svrsw60t59b (all absent)
    std::uint64_t ppn = pte >> 10 & ((1ULL << 44) - 1);
    if (pte >> 63) {
      if (level != 0 || (ppn & 15) != 8) return std::nullopt;
      ppn = (ppn & ~15ULL) | (address >> 12 & 15);
    }
    const std::uint64_t low = (1ULL << (9 * level)) - 1;
    if (ppn & low) return std::nullopt;
    if (user != u || !a || (write ? !w || !d : !r)) return std::nullopt;
    ppn |= address >> 12 & low;
    return ppn << 12 | (address & 0xfff);
  }
  const SparseMemory& memory_;
  const AddressSpace& space_;
  bool write_;
};

/// Flips a few bits of entries on the way of an address, so that every kind of defect turns up.
void spoil(Machine& machine, AddressSpace& space, std::uint64_t iova, std::uint64_t gpa) {
  const auto flips = *rc::gen::inRange(0, 3);
  for (int i = 0; i < flips; ++i) {
    const bool in_first = space.first_root != 0 && (space.second_root == 0 || *rc::gen::arbitrary<bool>());
    const unsigned levels = in_first ? space.first.levels : space.second.levels;
    const auto level = *rc::gen::inRange(0U, levels);
    const bool table_page = !in_first && space.first_root != 0 && *rc::gen::arbitrary<bool>();
    const std::uint64_t guest =
        table_page ? space.first_entry_gpa(iova, *rc::gen::inRange(0U, unsigned{space.first.levels})) : gpa;
    const std::uint64_t entry = in_first ? space.first_entry(iova, level) : space.second_entry(guest, level);
    const auto bit = *rc::gen::oneOf(rc::gen::inRange(0U, 10U), rc::gen::inRange(10U, 64U));
    machine.memory.store(entry, machine.memory.load(entry) ^ 1ULL << bit);
  }
}

// Any table, any mode, any leaf level, any access: same address or same fault as the naive walker.
RC_GTEST_PROP(Walks, AgreeWithTheNaiveWalker, ()) {
  Machine machine({}, 1);
  const auto first_mode = *rc::gen::element(0U, 8U, 9U, 10U);
  const auto second_mode = *rc::gen::element(0U, 8U, 9U, 10U);
  RC_PRE(first_mode + second_mode != 0);
  const auto second_leaf = *rc::gen::inRange(0U, 3U);
  AddressSpace space = machine.space(first_mode, second_mode, second_mode ? second_leaf : 0);
  const auto first_leaf = first_mode ? *rc::gen::inRange(0U, 3U) : 0U;
  const std::uint64_t page = *rc::gen::arbitrary<std::uint64_t>() & base::mask_of(38) & ~4095ULL;
  const bool upper = first_mode != 0 && *rc::gen::arbitrary<bool>();
  const std::uint64_t iova = upper ? page | ~base::mask_of(38) : page;
  const std::uint64_t gpa = first_mode ? *rc::gen::arbitrary<std::uint64_t>() & base::mask_of(40) & ~4095ULL : iova;
  space.map(iova, base::align_down(gpa, 1ULL << (12 + 9 * first_leaf)), first_leaf);
  spoil(machine, space, iova, gpa);
  machine.attach(7, space);

  const bool write = *rc::gen::arbitrary<bool>();
  const std::uint64_t probe = *rc::gen::weightedOneOf<std::uint64_t>(
      {{8, rc::gen::just(std::uint64_t{iova | 0x678})},
       {1, rc::gen::just(std::uint64_t{iova ^ 1ULL << *rc::gen::inRange(0, 64)})},
       {1, rc::gen::arbitrary<std::uint64_t>()}});
  const Outcome outcome = machine.translate(7, probe, write ? Access::kWrite : Access::kRead);
  const Found found = NaiveWalker(machine.memory, space, write).translate(probe);
  if (found.address) {
    RC_ASSERT(outcome.kind == Outcome::Kind::kTranslated);
    RC_ASSERT(outcome.spa == *found.address);
    return;
  }
  RC_ASSERT(outcome.kind == Outcome::Kind::kFault);
  const unsigned page_fault = write ? 15 : 13;
  const unsigned guest_fault = write ? 23 : 21;
  RC_ASSERT(outcome.fault.cause == (found.guest_fault ? guest_fault : page_fault));
  if (outcome.fault.cause == guest_fault)
    RC_ASSERT(outcome.fault.iotval2 == ((found.gpa & ~3ULL) | (found.implicit ? 1U : 0U)));
}

TEST(PageWalk, DescendsAndKeepsGlobal) {
  PageWalk walk;
  walk.mode = spec::kSv39;
  walk.begin(0x40201000, 0x5000);
  EXPECT_EQ(walk.table + walk.entry_offset(), 0x5008U);
  walk.pte = 0x6000 >> 2 | flags::kV | flags::kG;
  walk.descend();
  EXPECT_EQ(walk.table + walk.entry_offset(), 0x6008U);
  walk.pte = 0x80000000 >> 2 | flags::kAll;
  walk.take_leaf();
  EXPECT_TRUE(walk.attributes.global) << "from the entry above";
  EXPECT_EQ(walk.attributes.size_log2, 21);
  EXPECT_EQ(walk.target(), 0x80001000U);
}

}  // namespace iommusim::translate::test
