// SPDX-License-Identifier: Apache-2.0
// Automatic IOVAs: the rules one by one, and first fit against a search that tries every address.
#include "pagetable/iova_choice.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

namespace iommusim::pagetable {
namespace {

std::optional<std::uint64_t> choose(const AreaMap& areas, std::uint64_t length, std::uint64_t alignment) {
  return choose_iova(areas, {}, {}, length, alignment, 0);
}

TEST(IovaChoice, AlignmentIsWhatLengthAndSourceShare) {
  EXPECT_EQ(wanted_alignment(1, 0), 1U);
  EXPECT_EQ(wanted_alignment(0x3000, 0), 0x4000U);
  EXPECT_EQ(wanted_alignment(0x100000, 0x7000), 0x1000U);
  EXPECT_EQ(wanted_alignment(0x1000, 0x40000000), 0x1000U);
  EXPECT_EQ(wanted_alignment(1ULL << 40, 0), kHugePage);
}

TEST(IovaChoice, ASpanFitsFromItsAlignedStart) {
  EXPECT_EQ(place_in({0x1001, 0x3FFF}, 0x2000, 0x1000, 0), 0x2000U);
  EXPECT_FALSE(place_in({0x1001, 0x3FFE}, 0x2000, 0x1000, 0));
  EXPECT_EQ(place_in({0x1000, 0x3FFF}, 0x1000, 4, 0x234), 0x1234U);
  EXPECT_FALSE(place_in({0x1000, 0x1000}, 1, 1, 0)) << "a place of one byte is not used";
  EXPECT_EQ(place_in({0x1000, 0x1001}, 1, 1, 0), 0x1000U);
  EXPECT_FALSE(place_in({kMaxAddress - 5, kMaxAddress}, 1, 0x1000, 0)) << "aligning wraps";
}

TEST(IovaChoice, NeverZeroAndAscending) {
  AreaMap areas;
  for (std::uint64_t i = 1; i <= 4; ++i) {  // R2.10
    const auto at = choose(areas, 1 << 20, 1 << 20);
    ASSERT_EQ(at, i << 20);
    areas.insert(std::make_unique<Area>(Interval{*at, *at + (1 << 20) - 1}, nullptr, 0, 0));
  }
  EXPECT_EQ(choose({}, kPage, kPage), kPage);
}

TEST(IovaChoice, StaysInsideOneRunOfTheAllowList) {
  AllowedTree allowed;
  allowed.insert({0x10000, 0x10FFF}, {});
  allowed.insert({0x20000, 0x20FFF}, {});
  allowed.insert({0x21000, 0x21FFF}, {});
  ReservedTree reserved;
  EXPECT_EQ(choose_iova({}, reserved, allowed, kPage, kPage, 0), 0x10000U);
  EXPECT_EQ(choose_iova({}, reserved, allowed, 2 * kPage, kPage, 0), 0x20000U);
  EXPECT_FALSE(choose_iova({}, reserved, allowed, 3 * kPage, kPage, 0));
  reserved.insert({0x10800, 0x10800}, nullptr);
  EXPECT_EQ(choose_iova({}, reserved, allowed, kPage, kPage, 0), 0x20000U);
}

// R2.7 and R2.8 said the slow way: the first address from low to high at which rounding of a free span arrives.
RC_GTEST_PROP(IovaChoice, IsTheFirstFit, ()) {
  constexpr std::uint64_t kEnd = kPage + 96;  // a small world above the first page; all beyond is reserved
  ReservedTree reserved;
  AreaMap areas;
  AllowedTree allowed;
  std::vector<bool> free(kEnd + 1, true);
  std::vector<bool> permitted(kEnd + 1, false);
  const int count = *rc::gen::inRange(0, 10);
  for (int i = 0; i < count; ++i) {
    const auto start = *rc::gen::inRange<std::uint64_t>(kPage, kEnd);
    const Interval range{start, std::min(kEnd, start + *rc::gen::inRange<std::uint64_t>(0, 12))};
    if (i % 2 == 0)
      reserved.insert(range, nullptr);
    else if (areas.overlaps(range))
      continue;
    else
      areas.insert(std::make_unique<Area>(range, nullptr, 0, 0));
    for (auto at = range.start; at <= range.last; ++at) free[at] = false;
  }
  reserved.insert({kEnd + 1, kMaxAddress}, nullptr);
  const bool with_list = *rc::gen::arbitrary<bool>();
  for (int i = 0; with_list && i < 3; ++i) {
    const auto start = *rc::gen::inRange<std::uint64_t>(kPage, kEnd);
    const Interval range{start, std::min(kEnd, start + *rc::gen::inRange<std::uint64_t>(0, 40))};
    if (allowed.overlaps(range)) continue;
    allowed.insert(range, {});
    for (auto at = range.start; at <= range.last; ++at) permitted[at] = true;
  }
  if (!with_list) permitted.assign(kEnd + 1, true);
  const auto length = *rc::gen::inRange<std::uint64_t>(1, 20);
  const auto alignment = std::uint64_t{1} << *rc::gen::inRange(0, 5);

  const auto run_end = [&](const std::vector<bool>& map, std::uint64_t at) {
    while (at < kEnd && map[at + 1]) ++at;
    return at;
  };
  std::optional<std::uint64_t> expected;
  for (auto run = std::uint64_t{kPage}; run <= kEnd && !expected; ++run) {
    if (!permitted[run] || (run != kPage && permitted[run - 1])) continue;
    // Without a list the run goes on behind the reservation at the end; no block fits across that.
    const std::uint64_t run_last = with_list ? run_end(permitted, run) : kMaxAddress - kPage;
    const auto from = place_in({run, run_last}, length, alignment, 0);
    if (!from) continue;
    for (auto hole = *from; hole <= std::min(run_last, kEnd) && !expected; ++hole) {
      if (!free[hole] || (hole != *from && free[hole - 1])) continue;
      expected = place_in({hole, std::min(run_last, run_end(free, hole))}, length, alignment, 0);
    }
  }
  const auto found = choose_iova(areas, reserved, allowed, length, alignment, 0);
  RC_ASSERT(found == expected);
  for (std::uint64_t i = 0; found && i < length; ++i) RC_ASSERT(free[*found + i] && permitted[*found + i]);
}

}  // namespace
}  // namespace iommusim::pagetable
