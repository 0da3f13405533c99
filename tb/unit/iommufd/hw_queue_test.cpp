// SPDX-License-Identifier: Apache-2.0
// HW_QUEUE_ALLOC: uapi 7.3, R6.7, R10.5.
#include "iommufd/hw_queue.h"

#include <gtest/gtest.h>

#include "guest_world.h"

namespace iommusim::iommufd {
namespace {

struct HwQueueTest : ::testing::Test {
  int alloc(uapi::IommuHwQueueAlloc& argument) { return world.call(uapi::kIommuHwQueueAlloc, argument); }
  uapi::IommuHwQueueAlloc queue(std::uint32_t index, std::uint64_t iova = 0x10000, std::uint64_t length = 2 * kPage) {
    return {0, 0, viommu, kGuestType, index, 0, iova, length};
  }
  GuestWorld world;
  ObjectId parent = world.parent();
  ObjectId viommu = world.viommu(parent);
};

TEST_F(HwQueueTest, AnswersInOrder) {
  constexpr std::uint64_t kMax = ~0ULL;
  uapi::IommuHwQueueAlloc bad{0, 1, 99, 0, 2, 0, 0x10000, 0};
  EXPECT_EQ(alloc(bad), EOPNOTSUPP);  // flags
  bad.flags = 0;
  EXPECT_EQ(alloc(bad), EOPNOTSUPP);  // type 0
  bad.type = 5;
  EXPECT_EQ(alloc(bad), EINVAL);  // length 0
  bad.length = kMax;
  EXPECT_EQ(alloc(bad), EOVERFLOW);
  bad.nesting_parent_iova = 0;
  EXPECT_EQ(alloc(bad), ENOENT);  // vIOMMU
  bad.viommu_id = viommu;
  EXPECT_EQ(alloc(bad), EOPNOTSUPP);  // not this type
  bad.type = kGuestType;
  EXPECT_EQ(alloc(bad), ERANGE);  // rounding to pages
  bad.length = kMax - 4096;
  EXPECT_EQ(alloc(bad), ENOENT) << "one byte less, and it is only not mapped";
  bad = queue(2);
  EXPECT_EQ(alloc(bad), ENOENT) << "not mapped";
  ASSERT_EQ(world.ioas_map(world.space, kHeap, kPage, 0x10000, uapi::kIommuIoasMapWriteable), 0);
  EXPECT_EQ(alloc(bad), EPERM) << "not readable";
  ASSERT_EQ(world.ioas_unmap(world.space, 0x10000, kPage), 0);
  ASSERT_EQ(world.ioas_map(world.space, kLinear, kPage, 0x10000), 0);
  EXPECT_EQ(alloc(bad), ENOENT) << "its second page is not mapped";
  ASSERT_EQ(world.ioas_map(world.space, kLinear + 2 * kPage, kPage, 0x11000), 0);
  EXPECT_EQ(alloc(bad), EFAULT) << "not contiguous";
  ASSERT_EQ(world.ioas_unmap(world.space, 0x11000, kPage), 0);
  ASSERT_EQ(world.ioas_map(world.space, kLinear + kPage, kPage, 0x11000), 0);
  EXPECT_EQ(alloc(bad), EINVAL) << "the driver: index";
  bad.index = 1;
  EXPECT_EQ(alloc(bad), EIO) << "the driver: order";
  bad.index = 0;
  EXPECT_EQ(alloc(bad), 0);
  EXPECT_EQ(alloc(bad), EEXIST) << "the driver: the index is used";
  EXPECT_EQ(GuestViommu::newest->last.spa, kLinearSpa);
  EXPECT_EQ(GuestViommu::newest->last.iova, 0x10000U);
  EXPECT_EQ(GuestViommu::newest->last.length, 2 * kPage);
}

// R6.1, R10.5: the access wants whole pages.
TEST(HwQueueAlignment, AnAreaThatDoesNotFitPagesIsInTheWay) {
  drivers::MockOptions tables;
  tables.page_sizes = 0x800;
  GuestWorld world({}, {}, tables);
  const ObjectId viommu = world.viommu(world.parent());
  ASSERT_EQ(world.ioas_map(world.space, kLinear, kPage, 0x10000), 0);
  ASSERT_EQ(world.ioas_map(world.space, kHeap, 0x800, 0x20000), 0);
  uapi::IommuHwQueueAlloc queue{0, 0, viommu, kGuestType, 0, 0, 0x10000, kPage};
  EXPECT_EQ(world.call(uapi::kIommuHwQueueAlloc, queue), EADDRINUSE);
  ASSERT_EQ(world.ioas_unmap(world.space, 0x20000, 0x800), 0);
  ASSERT_EQ(world.call(uapi::kIommuHwQueueAlloc, queue), 0);
  EXPECT_EQ(world.ioas_map(world.space, kHeap, 0x800, 0x20000), EINVAL) << "whole pages from here on";
  EXPECT_EQ(world.destroy(queue.out_hw_queue_id), 0);
  EXPECT_EQ(world.ioas_map(world.space, kHeap, 0x800, 0x20000), 0) << "R2.1: the alignment falls again";
  ASSERT_EQ(world.ioas_map(world.space, kLinear + 0x800, kPage, 0x30000), 0);
  ASSERT_EQ(world.ioas_unmap(world.space, 0x20000, 0x800), 0);
  queue.nesting_parent_iova = 0x30000;
  EXPECT_EQ(world.call(uapi::kIommuHwQueueAlloc, queue), EADDRINUSE) << "the page offset does not fit either";
}

TEST_F(HwQueueTest, R10_5_TakesTwoIdsAndLocksItsMemory) {
  ASSERT_EQ(world.ioas_map(world.space, kLinear, 4 * kPage, 0x10000), 0);
  uapi::IommuHwQueueAlloc first = queue(0);
  ASSERT_EQ(alloc(first), 0);
  EXPECT_EQ(first.out_hw_queue_id, viommu + 1);
  EXPECT_EQ(world.destroy(viommu + 2), EBUSY) << "the internal access";
  EXPECT_EQ(world.destroy(viommu), EBUSY);
  EXPECT_EQ(world.ioas_unmap(world.space, 0x10000, 4 * kPage), EBUSY);
  EXPECT_EQ(world.ioas(), viommu + 3);
  EXPECT_EQ(world.destroy(first.out_hw_queue_id), 0);
  EXPECT_EQ(world.destroy(viommu + 2), ENOENT);
  EXPECT_EQ(world.ioas_unmap(world.space, 0x10000, 4 * kPage), 0);
  EXPECT_EQ(world.destroy(viommu), 0);
  EXPECT_EQ(world.destroy(parent), 0);
  EXPECT_EQ(world.destroy(world.space), 0) << "no reference is left";
  EXPECT_EQ(world.hardware.live, 0);
  EXPECT_EQ(world.pages_held(), 0U);
}

TEST_F(HwQueueTest, AnEarlierQueueIsHeldByALaterOne) {
  ASSERT_EQ(world.ioas_map(world.space, kLinear, 4 * kPage, 0x10000), 0);
  uapi::IommuHwQueueAlloc first = queue(0), second = queue(1, 0x12000);
  ASSERT_EQ(alloc(first), 0);
  ASSERT_EQ(alloc(second), 0);
  EXPECT_EQ(world.destroy(first.out_hw_queue_id), EBUSY);
  EXPECT_EQ(world.destroy(second.out_hw_queue_id), 0);
  EXPECT_EQ(world.destroy(first.out_hw_queue_id), 0);
}

TEST_F(HwQueueTest, AFailureLeavesNoIdAndNoPin) {
  ASSERT_EQ(world.ioas_map(world.space, kLinear, 4 * kPage, 0x10000), 0);
  uapi::IommuHwQueueAlloc bad = queue(2);
  EXPECT_EQ(alloc(bad), EINVAL);
  world.process.set_hook([](ProcessCall call, std::uint64_t) { return call == ProcessCall::kCopyToUser ? EFAULT : 0; });
  bad.index = 0;
  EXPECT_EQ(alloc(bad), EFAULT) << "the reply";
  world.process.set_hook({});
  EXPECT_EQ(GuestViommu::newest->queues[0], nullptr);
  EXPECT_EQ(world.ioas_unmap(world.space, 0x10000, 4 * kPage), 0);
  EXPECT_EQ(world.ioas(), viommu + 1);
}

TEST_F(HwQueueTest, TheEndOfTheContextEndsThemInOrder) {
  ASSERT_EQ(world.ioas_map(world.space, kLinear, 4 * kPage, 0x10000), 0);
  uapi::IommuHwQueueAlloc first = queue(0), second = queue(1, 0x12000);
  ASSERT_EQ(alloc(first), 0);
  ASSERT_EQ(alloc(second), 0);
  world.unbind_all();
  const std::weak_ptr<Context> context = world.context;
  world.context.reset();
  EXPECT_TRUE(context.expired());
  EXPECT_EQ(world.hardware.live, 0);
  EXPECT_EQ(world.pages_held(), 0U);
}

}  // namespace
}  // namespace iommusim::iommufd
