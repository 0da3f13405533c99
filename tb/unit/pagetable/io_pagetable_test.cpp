// SPDX-License-Identifier: Apache-2.0
// Domains come and go; the areas stay, and pins last exactly as long as somebody needs them.
#include "pagetable/io_pagetable.h"

#include <gtest/gtest.h>

#include "rig.h"

namespace iommusim::pagetable {
namespace {

using drivers::MockCall;

std::uint64_t alignment_of(IoPagetable& space) {
  std::uint64_t alignment = 0;
  space.unreserved(alignment);
  return alignment;
}

TEST(IoPagetable, NothingIsPinnedWithoutADomain) {
  Rig rig;
  IoPagetable space(rig.os);
  EXPECT_EQ(rig.map(space, 0xdead0000, 16 * kPage, 0x1000), 0);  // R2.14: nobody looks at the address
  EXPECT_EQ(rig.unmap(space, 0x1000, 16 * kPage), 0);
  EXPECT_EQ(rig.map(space, kHeap, 16 * kPage, 0x1000), 0);
  EXPECT_EQ(rig.user.pinned_pages(), 0U);
}

TEST(IoPagetable, ADomainGetsWhatIsThereAndASecondOnePinsNothing) {
  Rig rig;
  IoPagetable space(rig.os);
  const auto a = rig.make_domain();
  const auto b = rig.make_domain();
  ASSERT_EQ(rig.map(space, kHeap, 4 * kPage, 0x10000), 0);
  ASSERT_EQ(space.add_domain(*a), 0);
  EXPECT_EQ(rig.user.pinned_pages(), 4U);
  rig.user.unmap(kHeap, 32 << 20);  // R3.3: the memory may go
  ASSERT_EQ(space.add_domain(*b), 0);
  EXPECT_EQ(Rig::mock(*b).mapped_bytes(), 4 * kPage);
  std::uint64_t in_a = 0;
  std::uint64_t in_b = 0;
  ASSERT_TRUE(a->iova_to_phys(0x11000, in_a));
  ASSERT_TRUE(b->iova_to_phys(0x11000, in_b));
  EXPECT_EQ(in_a, in_b);
  space.remove_domain(*a);  // R4.3
  EXPECT_EQ(rig.user.pinned_pages(), 4U);
  EXPECT_EQ(Rig::mock(*a).mapped_bytes() + Rig::mock(*a).stale_leaves(), 0U);
  space.remove_domain(*b);
  EXPECT_EQ(rig.user.pinned_pages() + rig.user.locked_pages(), 0U);
}

TEST(IoPagetable, VanishedMemoryIsFoundWhenADomainComes) {
  Rig rig;
  IoPagetable space(rig.os);
  const auto domain = rig.make_domain();
  ASSERT_EQ(rig.map(space, kHeap, 4 * kPage, 0x10000), 0);
  ASSERT_EQ(rig.map(space, 0xdead0000, kPage, 0x20000), 0);
  EXPECT_EQ(space.add_domain(*domain), EFAULT);
  EXPECT_EQ(rig.user.pinned_pages() + Rig::mock(*domain).mapped_bytes(), 0U);
  EXPECT_EQ(alignment_of(space), 1U);  // R4.2
  std::uint64_t alignment = 0;
  EXPECT_EQ(space.unreserved(alignment).size(), 1U);
  EXPECT_EQ(space.unreserved(alignment)[0], (Interval{0, kMaxAddress}));
}

TEST(IoPagetable, AnApertureIsReserved) {
  drivers::MockOptions options;
  options.aperture_start = 0x100000;
  options.aperture_last = 0x7FFFFFFF;
  Rig rig(options);
  IoPagetable space(rig.os);
  const auto domain = rig.make_domain();
  ASSERT_EQ(rig.map(space, kHeap, kPage, 0x1000), 0);
  EXPECT_EQ(space.add_domain(*domain), EADDRINUSE);
  ASSERT_EQ(rig.unmap(space, 0x1000, kPage), 0);
  ASSERT_EQ(space.add_domain(*domain), 0);
  std::uint64_t alignment = 0;
  EXPECT_EQ(space.unreserved(alignment), (std::vector<Interval>{{0x100000, 0x7FFFFFFF}}));
  EXPECT_EQ(rig.map(space, kHeap, kPage, 0x1000), EINVAL);
  space.remove_domain(*domain);
  EXPECT_EQ(rig.map(space, kHeap, kPage, 0x1000), 0);
}

TEST(IoPagetable, TheAlignmentFollowsTheDomains) {
  Rig rig;
  IoPagetable space(rig.os);
  const auto domain = rig.make_domain();
  ASSERT_EQ(rig.map(space, kHeap, 0x800, 0x1000), 0);
  EXPECT_EQ(space.add_domain(*domain), EADDRINUSE);  // R2.2
  ASSERT_EQ(rig.unmap(space, 0x1000, 0x800), 0);
  ASSERT_EQ(space.add_domain(*domain), 0);
  EXPECT_EQ(alignment_of(space), kPage);
  EXPECT_EQ(rig.map(space, kHeap, 0x800, 0x1000), EINVAL);
  space.remove_domain(*domain);
  EXPECT_EQ(alignment_of(space), 1U);  // R2.1: it falls again
}

TEST(IoPagetable, ADomainOfLargePagesOnlyIsRefused) {
  drivers::MockOptions options;
  options.page_sizes = 1 << 16;
  Rig rig(options);
  IoPagetable space(rig.os);
  const auto domain = rig.make_domain();
  EXPECT_EQ(space.add_domain(*domain), EINVAL);
}

TEST(IoPagetable, LargePagesGoOffOnlyWhileNotBothAreThere) {
  Rig rig;
  IoPagetable space(rig.os);
  const auto domain = rig.make_domain();
  ASSERT_EQ(rig.map(space, kHeap, 0x800, 0x1000), 0);
  EXPECT_EQ(space.set_huge_pages(false), EADDRINUSE);
  ASSERT_EQ(rig.unmap(space, 0x1000, 0x800), 0);
  ASSERT_EQ(rig.map(space, kLinear, 4 * kPage, 0x1000), 0);
  ASSERT_EQ(space.add_domain(*domain), 0);
  EXPECT_EQ(space.set_huge_pages(false), EINVAL);
  EXPECT_TRUE(space.huge_pages());
  space.remove_domain(*domain);
  EXPECT_EQ(space.set_huge_pages(false), 0);
  EXPECT_EQ(space.set_huge_pages(false), 0);
  EXPECT_EQ(alignment_of(space), kPage);
  const auto before = rig.iommu.calls(MockCall::kMap);
  ASSERT_EQ(space.add_domain(*domain), 0);
  EXPECT_EQ(rig.iommu.calls(MockCall::kMap), before + 4);
  EXPECT_EQ(space.set_huge_pages(true), 0);
  space.remove_domain(*domain);
  EXPECT_EQ(alignment_of(space), 1U);
}

TEST(IoPagetable, OneInvalidationRemovesADomain) {
  Rig rig;
  IoPagetable space(rig.os);
  const auto domain = rig.make_domain();
  for (std::uint64_t i = 0; i < 5; ++i) ASSERT_EQ(rig.map(space, kHeap + i * kPage, kPage, 0x10000 + 2 * i * kPage), 0);
  ASSERT_EQ(space.add_domain(*domain), 0);
  rig.process.set_hook([&](ProcessCall call, std::uint64_t spa) {
    EXPECT_FALSE(call == ProcessCall::kUnpin && Rig::mock(*domain).reaches(spa));
    return 0;
  });
  space.remove_domain(*domain);
  EXPECT_EQ(rig.iommu.calls(MockCall::kSync), 1U);
  EXPECT_EQ(rig.user.pinned_pages(), 0U);
}

}  // namespace
}  // namespace iommusim::pagetable
