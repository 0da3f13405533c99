// SPDX-License-Identifier: Apache-2.0
// Placement errors in their order, reservations, alignment.
#include "pagetable/iova_space.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cerrno>

namespace iommusim::pagetable {
namespace {

int fixed(const IovaSpace& space, std::uint64_t iova, std::uint64_t length) {
  return space.place(length, 0, true, iova);
}
int automatic(const IovaSpace& space, std::uint64_t length, std::uint64_t source = 0) {
  std::uint64_t iova = 0;
  return space.place(length, source, false, iova);
}
void add(IovaSpace& space, std::uint64_t start, std::uint64_t last, std::uint64_t offset = 0) {
  space.areas().insert(std::make_unique<Area>(Interval{start, last}, nullptr, offset, 0));
}

TEST(IovaSpace, AFixedPlaceIsCheckedInOrder) {
  IovaSpace space;
  const int owner = 0;
  ASSERT_EQ(space.reserve({0x8000, 0x8FFF}, &owner), 0);
  add(space, 0x9000, 0x9FFF);
  space.set_alignment(kPage);
  EXPECT_EQ(fixed(space, 0x1000, 0x800), EINVAL);             // length not aligned
  EXPECT_EQ(fixed(space, 0x1800, 0x1000), EINVAL);            // iova not aligned
  EXPECT_EQ(fixed(space, 0ULL - 0x1000, 0x2000), EOVERFLOW);  // wraps
  EXPECT_EQ(fixed(space, 0x7000, 0x3000), EINVAL);            // reserved before occupied
  EXPECT_EQ(fixed(space, 0x9000, 0x1000), EEXIST);
  EXPECT_EQ(fixed(space, 0xA000, 0x1000), 0);
  EXPECT_EQ(fixed(space, 0, 0x1000), 0);              // R2.12: IOVA 0 is fine
  EXPECT_EQ(fixed(space, 0ULL - 0x1000, 0x1000), 0);  // R2.18
}

TEST(IovaSpace, AnAutomaticPlaceIsCheckedInOrder) {
  IovaSpace space;
  space.set_alignment(kPage);
  EXPECT_EQ(automatic(space, 0x800), EINVAL);
  EXPECT_EQ(automatic(space, kMaxAddress / 2 + 1), EOVERFLOW);
  EXPECT_EQ(automatic(space, 0x1000, 0x10800), EINVAL);  // the source allows an alignment of 0x800 only
  ASSERT_EQ(space.reserve({0, kMaxAddress}, &space), 0);
  EXPECT_EQ(automatic(space, 0x1000), ENOSPC);
  space.set_alignment(1);
  EXPECT_EQ(automatic(space, kMaxAddress / 2), EOVERFLOW);  // R2.9
  EXPECT_EQ(automatic(space, kMaxAddress / 2 - 1), ENOSPC);
}

TEST(IovaSpace, AreasReservationsAndAllowListExcludeOneAnother) {
  IovaSpace space;
  add(space, 0x1000, 0x1FFF);
  EXPECT_EQ(space.reserve({0x1FFF, 0x2FFF}, &space), EADDRINUSE);
  AllowedTree list;
  list.insert({0x5000, 0x5FFF}, {});
  ASSERT_EQ(space.allow(std::move(list)), 0);
  EXPECT_EQ(space.reserve({0x5FFF, 0x6FFF}, &space), EADDRINUSE);
  ASSERT_EQ(space.reserve({0x8000, 0x8FFF}, &space), 0);
  AllowedTree bad;
  bad.insert({0x8FFF, 0x9FFF}, {});
  EXPECT_EQ(space.allow(std::move(bad)), EADDRINUSE);
  EXPECT_EQ(space.reserve({0x5000, 0x5000}, &space), EADDRINUSE) << "the old list stays";
  EXPECT_EQ(space.allow({}), 0);
  EXPECT_EQ(space.reserve({0x5000, 0x5000}, &space), 0);
}

TEST(IovaSpace, TheAlignmentIsRaisedOnlyIfAllAreasFit) {
  for (const auto& [start, last, offset] :
       {std::tuple{0x1800, 0x27FF, 0}, {0x1000, 0x17FF, 0}, {0x1000, 0x1FFF, 0x800}}) {
    IovaSpace space;
    add(space, static_cast<std::uint64_t>(start), static_cast<std::uint64_t>(last), static_cast<std::uint64_t>(offset));
    EXPECT_EQ(space.check_alignment(0x800), 0);
    EXPECT_EQ(space.check_alignment(0x1000), EADDRINUSE);
  }
}

RC_GTEST_PROP(IovaSpace, UnreservedIsTheComplementOfTheReservations, ()) {
  IovaSpace space;
  std::vector<std::pair<Interval, const void*>> reservations;
  static const char owners[3] = {};
  const int count = *rc::gen::inRange(0, 12);
  for (int i = 0; i < count; ++i) {
    const auto start = *rc::gen::element<std::uint64_t>(0, 1, 7, 50, 99, kMaxAddress - 9, kMaxAddress);
    const auto length = *rc::gen::inRange<std::uint64_t>(1, 60);
    const Interval range{start, length - 1 > kMaxAddress - start ? kMaxAddress : start + (length - 1)};
    const void* owner = owners + i % 3;
    RC_ASSERT(space.reserve(range, owner) == 0);
    reservations.emplace_back(range, owner);
  }
  space.unreserve(owners);
  const auto reserved = [&](std::uint64_t address) {
    for (const auto& [range, owner] : reservations)
      if (owner != owners && range.contains(address)) return true;
    return false;
  };
  const auto ranges = space.unreserved();
  const auto listed = [&](std::uint64_t address) {
    for (const Interval& range : ranges)
      if (range.contains(address)) return true;
    return false;
  };
  for (std::uint64_t i = 0; i < 200; ++i) {
    RC_ASSERT(listed(i) != reserved(i));
    RC_ASSERT(listed(kMaxAddress - i) != reserved(kMaxAddress - i));
  }
  for (std::size_t i = 1; i < ranges.size(); ++i) RC_ASSERT(ranges[i - 1].last + 1 < ranges[i].start);
}

}  // namespace
}  // namespace iommusim::pagetable
