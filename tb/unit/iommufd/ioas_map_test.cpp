// SPDX-License-Identifier: Apache-2.0
// MAP, COPY, UNMAP as a program meets them: every error row of uapi 3.4, 3.6, 3.7 in its order. Each step of a ladder
// has all later faults too, so an order other than the table's is noticed.
#include <gtest/gtest.h>

#include "world.h"

namespace iommusim::iommufd {
namespace {

constexpr std::uint64_t kMax = ~0ULL;

struct IoasMapTest : ::testing::Test {
  int map(uapi::IommuIoasMap argument) { return world.call(uapi::kIommuIoasMap, argument); }
  int copy(uapi::IommuIoasCopy argument) { return world.call(uapi::kIommuIoasCopy, argument); }
  int unmap(ObjectId ioas, std::uint64_t iova, std::uint64_t& length) {
    uapi::IommuIoasUnmap argument{0, ioas, iova, length};
    const int error = world.call(uapi::kIommuIoasUnmap, argument);
    length = argument.length;
    return error;
  }
  int unmap_error(ObjectId ioas, std::uint64_t iova, std::uint64_t length) {
    const std::uint64_t before = length;
    const int error = unmap(ioas, iova, length);
    EXPECT_TRUE(error == 0 || length == before) << "length is not written on errors";
    return error;
  }
  void page_alignment(ObjectId ioas) {
    uapi::IommuOption argument{0, uapi::kIommuOptionHugePages, uapi::kIommuOptionOpSet, 0, ioas, 0};
    ASSERT_EQ(world.call(uapi::kIommuOption, argument), 0);
  }
  World world;
};

TEST_F(IoasMapTest, MapAnswersInOrder) {
  const ObjectId id = world.ioas();
  page_alignment(id);
  uapi::IommuIoasMap bad{0, 8, 99, 1, kMax - 0xFF, kMax, kMax};
  EXPECT_EQ(map(bad), EOPNOTSUPP);  // 1
  bad.flags = 0;
  EXPECT_EQ(map(bad), EOPNOTSUPP);
  bad.reserved = 0;
  EXPECT_EQ(map(bad), EOVERFLOW);  // 2: length
  bad.length = 0x100;
  EXPECT_EQ(map(bad), EOVERFLOW) << "the iova counts though it is not used";
  bad.iova = 0;
  EXPECT_EQ(map(bad), EINVAL);  // 3
  bad.flags = kReadWrite;
  EXPECT_EQ(map(bad), ENOENT);  // 4
  bad.ioas_id = id;
  EXPECT_EQ(map(bad), EOVERFLOW) << "exactly 2^64 has wrapped";  // 5
  bad.user_va = 0;
  bad.length = 0;
  EXPECT_EQ(map(bad), EINVAL);  // 6
  bad.length = kMax - kPage + 1;
  EXPECT_EQ(map(bad), EINVAL);
  bad.length = kPage / 2;
  EXPECT_EQ(map(bad), EINVAL);  // 7
  bad.length = (1ULL << 63) + kPage;
  EXPECT_EQ(map(bad), EOVERFLOW);  // 8a
  bad.length = kPage;
  bad.user_va = kHeap + 0x800;
  EXPECT_EQ(map(bad), EINVAL);  // 8b
}

TEST_F(IoasMapTest, FixedMapAnswersInOrder) {
  const ObjectId id = world.ioas();
  page_alignment(id);
  ASSERT_EQ(world.ioas_map(id, kHeap, kPage, 0x10000), 0);
  {
    const auto ioas = world.context->objects().hold<Ioas>(id);
    ASSERT_EQ(ioas->space().reserve({0x20000, 0x20FFF}, this), 0);
  }
  EXPECT_EQ(world.ioas_map(id, kHeap + 1, 2 * kPage, kMax - 0xFFE), EINVAL);     // 8d
  EXPECT_EQ(world.ioas_map(id, kHeap + 1, 2 * kPage, kMax - 0xFFF), EOVERFLOW);  // 8e
  EXPECT_EQ(world.ioas_map(id, kHeap + 1, 0x20000, 0x10000), EINVAL);            // 8f
  EXPECT_EQ(world.ioas_map(id, kHeap + 1, kPage, 0x10000), EEXIST);              // 8g
  EXPECT_EQ(world.ioas_map(id, kHeap + 1, kPage, 0x11000), EINVAL);              // 9
  EXPECT_EQ(world.ioas_map(id, kHeap, kPage, kMax - 0xFFF), 0) << "up to the last address";
  EXPECT_EQ(world.ioas_map(id, kHeap, kPage, 0), 0) << "IOVA 0 is fine";
}

TEST_F(IoasMapTest, WithADomainThePagesMatter) {
  const ObjectId id = world.ioas();
  const ObjectId device = world.bound(world.device);
  ASSERT_NE(world.attached(device, id), 0U);
  EXPECT_EQ(world.ioas_map(id, 0xdead0000, kPage, 0x10000), EFAULT);  // 10
  EXPECT_EQ(world.ioas_map(id, kReadOnly, kPage, 0x10000), EFAULT);
  EXPECT_EQ(world.ioas_map(id, kReadOnly, kPage, 0x20000, uapi::kIommuIoasMapReadable), 0);
  world.user.set_locked_limit(3);
  EXPECT_EQ(world.ioas_map(id, kHeap, 3 * kPage, 0x10000), ENOMEM);  // 11
  EXPECT_EQ(world.ioas_map(id, kHeap, 2 * kPage, 0x10000), 0);
  world.user.set_locked_limit(100);
  world.iommu.fail_nth(drivers::MockCall::kMap, 1, EIO);
  EXPECT_EQ(world.ioas_map(id, kHeap, kPage, 0x40000), EIO);  // 12
  EXPECT_EQ(world.user.locked_pages(), 3U);
  std::uint64_t spa = 0;
  EXPECT_TRUE(world.device.access(0x11000, true, spa));
  EXPECT_TRUE(world.device.access(0x20000, false, spa));
  EXPECT_FALSE(world.device.access(0x20000, true, spa));
  EXPECT_EQ(world.ioas_unmap(id, 0x10000, 2 * kPage), 0);
  EXPECT_FALSE(world.device.access(0x11000, false, spa)) << "R12.1";
  EXPECT_EQ(device_detach(*world.context, device), 0);
  EXPECT_EQ(device_unbind(*world.context, device), 0);
}

TEST_F(IoasMapTest, AutomaticIovasAscend) {
  const ObjectId id = world.ioas();
  for (std::uint64_t i = 1; i <= 3; ++i) {
    uapi::IommuIoasMap argument{0, kReadWrite, id, 0, kLinear, 1 << 20, 77};
    ASSERT_EQ(world.call(uapi::kIommuIoasMap, argument), 0);
    EXPECT_EQ(argument.iova, i << 20);
  }
}

TEST_F(IoasMapTest, CopyAnswersInOrder) {
  const ObjectId from = world.ioas();
  const ObjectId to = world.ioas();
  page_alignment(to);
  ASSERT_EQ(world.ioas_map(from, kHeap, 2 * kPage, 0x10000, uapi::kIommuIoasMapReadable), 0);
  ASSERT_EQ(world.ioas_map(to, kHeap, kPage, 0x50000), 0);
  uapi::IommuIoasCopy bad{0, 8, 98, 99, kMax, 0x50000, kMax - 10};
  EXPECT_EQ(copy(bad), EOPNOTSUPP);
  bad.flags = kFixed;
  EXPECT_EQ(copy(bad), EOVERFLOW);
  bad.length = 0;
  EXPECT_EQ(copy(bad), EINVAL) << "neither read nor write";
  bad.flags = kFixed | kReadWrite;
  EXPECT_EQ(copy(bad), ENOENT);
  bad.src_ioas_id = from;
  EXPECT_EQ(copy(bad), EINVAL) << "length 0";
  bad.length = 0x100;
  EXPECT_EQ(copy(bad), EOVERFLOW) << "src wraps";
  bad.src_iova = 0x11800;
  bad.length = kPage;
  EXPECT_EQ(copy(bad), ENOENT) << "not completely mapped; the destination is unknown too";
  bad.src_iova = 0x10800;
  EXPECT_EQ(copy(bad), ENOENT) << "the destination";
  bad.dst_ioas_id = to;
  EXPECT_EQ(copy(bad), EEXIST);
  bad.dst_iova = 0x51000;
  EXPECT_EQ(copy(bad), EPERM) << "before the offset";
  bad.flags = kFixed | uapi::kIommuIoasMapReadable;
  EXPECT_EQ(copy(bad), EINVAL) << "offset";
  bad.src_iova = 0x11000;
  EXPECT_EQ(copy(bad), 0);
}

TEST_F(IoasMapTest, CopyWithinOneAddressSpaceGoesToTheSameMemory) {
  const ObjectId id = world.ioas();
  const ObjectId device = world.bound(world.device);
  ASSERT_NE(world.attached(device, id), 0U);
  ASSERT_EQ(world.ioas_map(id, kHeap, 4 * kPage, 0x10000), 0);
  uapi::IommuIoasCopy argument{0, kFixed | kReadWrite, id, id, 2 * kPage, 0x80000, 0x11000};
  ASSERT_EQ(copy(argument), 0);
  EXPECT_EQ(world.user.locked_pages(), 4U);
  ASSERT_EQ(world.ioas_unmap(id, 0x10000, 4 * kPage), 0);
  EXPECT_EQ(world.user.locked_pages(), 2U);
  std::uint64_t spa = 0;
  EXPECT_TRUE(world.device.access(0x80000, true, spa));
  EXPECT_EQ(device_detach(*world.context, device), 0);
  EXPECT_EQ(device_unbind(*world.context, device), 0);
}

TEST_F(IoasMapTest, UnmapAnswersInOrder) {
  const ObjectId id = world.ioas();
  EXPECT_EQ(unmap_error(99, 0, kMax), ENOENT);  // 1
  std::uint64_t length = kMax;
  EXPECT_EQ(unmap(id, 0, length), 0);  // 2
  EXPECT_EQ(length, 0U);
  EXPECT_EQ(unmap_error(id, 1, kMax), EOVERFLOW);  // 3
  EXPECT_EQ(unmap_error(id, kMax, 0), EOVERFLOW);
  EXPECT_EQ(unmap_error(id, 1, 0), EINVAL);            // 4
  EXPECT_EQ(unmap_error(id, kMax - 1, 3), EOVERFLOW);  // 5
  EXPECT_EQ(unmap_error(id, 0x1000, 0x1000), ENOENT);  // 10
  ASSERT_EQ(world.ioas_map(id, kHeap, 2 * kPage, 0x10000), 0);
  ASSERT_EQ(world.ioas_map(id, kHeap, 2 * kPage, 0x20000), 0);
  EXPECT_EQ(unmap_error(id, 0x10000, 0x11000), ENOENT);  // 8, the first is gone
  length = 0x11000;
  EXPECT_EQ(unmap(id, 0x1F001, length), 0) << "holes and odd borders are fine";
  EXPECT_EQ(unmap_error(id, 0x0, kMax - 1), ENOENT);
}

TEST_F(IoasMapTest, UnmapTellsTheBytes) {
  const ObjectId id = world.ioas();
  ASSERT_EQ(world.ioas_map(id, kHeap, 2 * kPage, 0x10000), 0);
  ASSERT_EQ(world.ioas_map(id, kHeap, 100, 0x20000), 0);
  std::uint64_t length = 0x100000;
  EXPECT_EQ(unmap(id, 0, length), 0);
  EXPECT_EQ(length, 2 * kPage + 100);
}

}  // namespace
}  // namespace iommusim::iommufd
