// SPDX-License-Identifier: Apache-2.0
// Page tables follow areas in the right order, with large leaves where the memory allows, and nothing stays after a
// failure.
#include "pagetable/fill.h"

#include <gtest/gtest.h>

#include <string>

#include "rig.h"

namespace iommusim::pagetable {
namespace {

using drivers::MockCall;

TEST(Fill, ContiguousMemoryIsMappedInOneCall) {
  Rig rig;
  const auto domain = rig.make_domain();
  Area area({0x200000, 0x9FFFFF}, rig.pages(kLinear, 8 << 20), 0, domain::kRead);
  ASSERT_EQ(fill_area(area, {domain.get()}, kAnyLength), 0);
  EXPECT_EQ(rig.iommu.calls(MockCall::kMap), 1U);
  clear_area(area, {domain.get()});
  ASSERT_EQ(fill_area(area, {domain.get()}, kPage), 0);
  EXPECT_EQ(rig.iommu.calls(MockCall::kMap), 1U + 2048U);  // R2.24
  clear_area(area, {domain.get()});
  EXPECT_EQ(rig.user.pinned_pages(), 0U);
}

TEST(Fill, APartOfAPageKeepsItsOffset) {
  drivers::MockOptions options;
  options.page_sizes = 0x800 | kPage;
  Rig rig(options);
  const auto domain = rig.make_domain();
  Area area({0x10800, 0x127FF}, rig.pages(kLinear + 0x800, 0x2000), 0x800, domain::kRead);
  ASSERT_EQ(fill_area(area, {domain.get()}, kAnyLength), 0);
  std::uint64_t spa = 0;
  ASSERT_TRUE(domain->iova_to_phys(0x10800 + 0x1234, spa));
  EXPECT_EQ(spa, kLinearSpa + 0x800 + 0x1234);
  EXPECT_EQ(rig.user.pinned_pages(), 3U);
  clear_area(area, {domain.get()});
}

TEST(Fill, ClearsThenInvalidatesThenUnpinsThenUncharges) {
  Rig rig;
  const auto a = rig.make_domain();
  const auto b = rig.make_domain();
  Area area({0x1000, 0x2FFF}, rig.pages(kHeap, 2 * kPage), 0, domain::kRead);
  ASSERT_EQ(fill_area(area, {a.get(), b.get()}, kAnyLength), 0);
  std::string order;
  rig.iommu.set_hook([&](MockCall call, std::uint64_t) {
    order += call == MockCall::kUnmap ? 'u' : call == MockCall::kSync ? 's' : '?';
    return 0;
  });
  rig.process.set_hook([&](ProcessCall call, std::uint64_t spa) {
    order += call == ProcessCall::kUnpin ? 'p' : call == ProcessCall::kUncharge ? 'c' : '?';
    if (call == ProcessCall::kUnpin) {
      EXPECT_FALSE(Rig::mock(*a).reaches(spa));
      EXPECT_FALSE(Rig::mock(*b).reaches(spa));
    }
    return 0;
  });
  clear_area(area, {a.get(), b.get()});
  EXPECT_EQ(order, "uussppc");
}

TEST(Fill, EveryFailureLeavesNothing) {
  Rig rig;
  const auto a = rig.make_domain();
  const auto b = rig.make_domain();
  rig.process.set_hook({});
  // Heap frames touched downwards are not contiguous upwards: several Domain::map calls an area.
  for (std::uint64_t page = 8; page-- > 0;) {
    std::uint64_t spa = 0;
    ASSERT_EQ(rig.user.pin_page(kHeap + page * kPage, true, spa), 0);
    rig.user.unpin_page(spa);
  }
  Area area({0x1000, 0x8FFF}, rig.pages(kHeap, 8 * kPage), 0, domain::kRead | domain::kWrite);
  for (std::uint64_t n = 1; n <= 16; ++n) {
    rig.iommu.fail_nth(MockCall::kMap, n, ENOMEM);
    ASSERT_EQ(fill_area(area, {a.get(), b.get()}, kAnyLength), ENOMEM) << n;
    EXPECT_EQ(Rig::mock(*a).mapped_bytes() + Rig::mock(*b).mapped_bytes(), 0U) << n;
    EXPECT_EQ(Rig::mock(*a).stale_leaves() + Rig::mock(*b).stale_leaves(), 0U) << n;
    EXPECT_EQ(rig.user.pinned_pages() + rig.user.locked_pages(), 0U) << n;
    EXPECT_FALSE(area.filled);
  }
  rig.iommu.set_hook({});
  EXPECT_EQ(fill_area(area, {a.get(), b.get()}, kAnyLength), 0);
  clear_area(area, {a.get(), b.get()});
}

}  // namespace
}  // namespace iommusim::pagetable
