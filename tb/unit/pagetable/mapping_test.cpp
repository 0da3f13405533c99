// SPDX-License-Identifier: Apache-2.0
// A mapping is all or nothing, and its interval is taken while it is being made.
#include "pagetable/mapping.h"

#include <gtest/gtest.h>

#include "rig.h"

namespace iommusim::pagetable {
namespace {

using drivers::MockCall;

TEST(Mapping, IsNotThereUntilPublished) {
  Rig rig;
  IoPagetable space(rig.os);
  const auto domain = rig.make_domain();
  ASSERT_EQ(space.add_domain(*domain), 0);
  {
    Mapping mapping(space);
    std::uint64_t iova = 0x4000;
    ASSERT_EQ(mapping.place({{rig.pages(kHeap, 2 * kPage), 0, 2 * kPage}}, domain::kRead, true, iova), 0);
    ASSERT_EQ(mapping.fill(), 0);
    EXPECT_EQ(rig.map(space, kHeap, kPage, 0x5000), EEXIST);  // R2.11
    std::uint64_t removed = 0;
    EXPECT_EQ(space.unmap({0x4000, 0x5FFF}, removed), EBUSY);
    EXPECT_EQ(space.unmap({0x4000, 0x4FFF}, removed), EBUSY);  // half made comes before partly covered
    std::vector<Slice> slices;
    EXPECT_EQ(space.slices_of({0x4000, 0x4FFF}, slices), ENOENT);
  }
  EXPECT_EQ(Rig::mock(*domain).mapped_bytes() + rig.user.pinned_pages(), 0U);
  EXPECT_EQ(rig.map(space, kHeap, kPage, 0x5000), 0);
  space.remove_domain(*domain);
}

TEST(Mapping, ACopySharesThePages) {
  Rig rig;
  IoPagetable a(rig.os);
  IoPagetable b(rig.os);
  const auto domain_a = rig.make_domain();
  const auto domain_b = rig.make_domain();
  ASSERT_EQ(a.add_domain(*domain_a), 0);
  ASSERT_EQ(b.add_domain(*domain_b), 0);
  ASSERT_EQ(rig.map(a, kHeap, 4 * kPage, 0x10000), 0);
  ASSERT_EQ(rig.map(a, kHeap + (1 << 20), 2 * kPage, 0x14000), 0);
  std::vector<Slice> slices;
  ASSERT_EQ(a.slices_of({0x12000, 0x14FFF}, slices), 0);
  ASSERT_EQ(slices.size(), 2U);
  {
    Mapping mapping(b);
    std::uint64_t iova = 0;
    ASSERT_EQ(mapping.place(slices, domain::kRead, false, iova), 0);
    EXPECT_EQ(iova, 0x2000U);  // aligned as the source is, and never 0
    ASSERT_EQ(mapping.fill(), 0);
    mapping.publish();
  }
  slices.clear();
  EXPECT_EQ(rig.user.pinned_pages(), 6U);  // R3.9
  EXPECT_EQ(rig.user.locked_pages(), 6U);
  std::uint64_t in_a = 0;
  std::uint64_t in_b = 0;
  ASSERT_TRUE(domain_a->iova_to_phys(0x14000, in_a));
  ASSERT_TRUE(domain_b->iova_to_phys(0x4000, in_b));
  EXPECT_EQ(in_a, in_b);
  EXPECT_EQ(rig.unmap(b, 0x4000, kPage), 0);  // R2.16: a border of the pieces
  ASSERT_EQ(rig.unmap(a, 0x10000, 4 * kPage), 0);
  EXPECT_EQ(rig.user.pinned_pages(), 4U);  // two live on in b, two at 0x14000 in a
  a.remove_domain(*domain_a);
  b.remove_domain(*domain_b);
  EXPECT_EQ(rig.user.pinned_pages() + rig.user.locked_pages(), 0U);
}

TEST(Mapping, AReadOnlyArrayIsNotMappedForWriting) {
  Rig rig;
  IoPagetable space(rig.os);
  Mapping mapping(space);
  std::uint64_t iova = 0x4000;
  EXPECT_EQ(mapping.place({{rig.pages(kHeap, kPage, false), 0, kPage}}, domain::kWrite, true, iova), EPERM);
}

TEST(Mapping, ChecksThePlaceThenThePermissionThenTheOffset) {
  Rig rig;
  IoPagetable space(rig.os);
  ASSERT_EQ(space.set_huge_pages(false), 0);  // alignment is a page
  const auto place = [&](std::uint64_t iova, bool writable, std::uint64_t offset) {
    Mapping mapping(space);
    return mapping.place({{rig.pages(kHeap, 4 * kPage, writable), offset, kPage}}, domain::kWrite, true, iova);
  };
  ASSERT_EQ(rig.map(space, kHeap, kPage, 0x4000), 0);
  EXPECT_EQ(place(0x4000, false, 0x10), EEXIST);
  EXPECT_EQ(place(0x5000, false, 0x10), EPERM);
  EXPECT_EQ(place(0x5000, true, 0x10), EINVAL);
  EXPECT_EQ(place(0x5000, true, 0), 0);
}

TEST(Mapping, FailsAsAWhole) {
  Rig rig;
  IoPagetable space(rig.os);
  const auto a = rig.make_domain();
  const auto b = rig.make_domain();
  ASSERT_EQ(space.add_domain(*a), 0);
  ASSERT_EQ(space.add_domain(*b), 0);
  std::vector<Slice> slices = {{rig.pages(kHeap, kPage), 0, kPage}, {rig.pages(kHeap + (1 << 20), kPage), 0, kPage}};
  for (std::uint64_t n = 1; n <= 4; ++n) {
    rig.iommu.fail_nth(MockCall::kMap, n, EIO);
    Mapping mapping(space);
    std::uint64_t iova = 0;
    ASSERT_EQ(mapping.place(slices, domain::kRead, false, iova), 0);
    EXPECT_EQ(mapping.fill(), EIO) << n;
  }
  EXPECT_EQ(Rig::mock(*a).mapped_bytes() + Rig::mock(*b).mapped_bytes() + rig.user.pinned_pages(), 0U);
  std::uint64_t removed = 0;
  EXPECT_EQ(space.unmap({0, kMaxAddress}, removed), 0);
  EXPECT_EQ(removed, 0U);
  rig.iommu.set_hook({});
  space.remove_domain(*a);
  space.remove_domain(*b);
}

}  // namespace
}  // namespace iommusim::pagetable
