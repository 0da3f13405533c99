// SPDX-License-Identifier: Apache-2.0
// ADD_RESERVED, MD_CHECK_MAP, MD_CHECK_REFS: each result of test_ops L.4, in its order.
#include <gtest/gtest.h>

#include "test_world.h"

namespace iommusim::selftest {
namespace {

struct MappingOpsTest : ::testing::Test {
  int add_reserved(ObjectId id, std::uint64_t start, std::uint64_t length) {
    Command command = TestWorld::make(uapi::kTestAddReserved, id);
    command.add_reserved = {start, length};
    return world.test(command);
  }
  TestWorld world;
  ObjectId ioas = world.ioas();
};

TEST_F(MappingOpsTest, AddReserved) {
  EXPECT_EQ(add_reserved(99, kPage, 0), EINVAL);
  EXPECT_EQ(add_reserved(99, kPage, ~0ULL), EOVERFLOW);
  EXPECT_EQ(add_reserved(99, kPage, kPage), ENOENT);
  ASSERT_EQ(world.ioas_map(ioas, kHeap, kPage, 0x20000), 0);
  EXPECT_EQ(add_reserved(ioas, 0x20800, 1), EADDRINUSE);
  EXPECT_EQ(add_reserved(ioas, 0x10000, kPage), 0);
  EXPECT_EQ(add_reserved(ioas, 0x10000, kPage), 0) << "reservations may overlap";
  EXPECT_EQ(add_reserved(ioas, ~0ULL, 1), 0) << "up to the last byte";
  EXPECT_EQ(world.ioas_map(ioas, kHeap, kPage, 0x10000), EINVAL);
  const ObjectId other = world.ioas();
  const uapi::IommuIovaRange allowed{0x1000, 0x1FFF};
  const std::uint64_t list = world.slot();
  world.user.copy_to_user(list, &allowed, sizeof allowed);
  uapi::IommuIoasAllowIovas allow{0, other, 1, 0, list};
  ASSERT_EQ(world.call(uapi::kIommuIoasAllowIovas, allow), 0);
  EXPECT_EQ(add_reserved(other, 0x1800, 1), EADDRINUSE);
}

TEST_F(MappingOpsTest, CheckMap) {
  const TestWorld::Mock mock = world.mock(ioas);
  ASSERT_EQ(world.ioas_map(ioas, kHeap + kMockPage, 2 * kPage, kMockStart), 0);
  EXPECT_EQ(world.check_map(ioas, 1, 1, 1), ENOENT) << "not a page table";
  EXPECT_EQ(world.check_map(99, 1, 1, 1), ENOENT);
  EXPECT_EQ(world.check_map(mock.hwpt, kMockStart, 2 * kPage, kHeap + kMockPage), 0);
  EXPECT_EQ(world.check_map(mock.hwpt, kMockStart + kMockPage, kPage, kHeap + kPage), 0);
  EXPECT_EQ(world.check_map(mock.hwpt, kMockStart + 1024, kMockPage, 0), EINVAL);
  EXPECT_EQ(world.check_map(mock.hwpt, kMockStart, 1024, 0), EINVAL);
  EXPECT_EQ(world.check_map(mock.hwpt, kMockStart, kMockPage, 1024), EINVAL);
  EXPECT_EQ(world.check_map(mock.hwpt, kMockStart, 4 * kMockPage, ~0ULL - kMockPage + 1), EINVAL) << "wraps";
  EXPECT_EQ(world.check_map(mock.hwpt, 0, kMockPage, 0), EFAULT) << "the user page comes before the mapping";
  EXPECT_EQ(world.check_map(mock.hwpt, kMockStart, kMockPage, kHeap), EINVAL) << "another page";
  EXPECT_EQ(world.check_map(mock.hwpt, kMockStart + 2 * kPage, kMockPage, kHeap), EINVAL) << "nothing mapped";
  EXPECT_EQ(world.check_map(mock.hwpt, kMockStart, 0, kHeap), 0);
}

TEST_F(MappingOpsTest, CheckRefs) {
  EXPECT_EQ(world.check_refs(kHeap + 1, kPage, 0), EINVAL);
  EXPECT_EQ(world.check_refs(kHeap, kPage + 1, 0), EINVAL);
  EXPECT_EQ(world.check_refs(0x123000, kPage, 0), EFAULT);
  EXPECT_EQ(world.check_refs(kHeap, 4 * kPage, 0), 0);
  ASSERT_EQ(world.ioas_map(ioas, kHeap, kPage, kMockStart), 0);
  EXPECT_EQ(world.check_refs(kHeap, kPage, 0), 0) << "nothing needs it yet";
  const TestWorld::Mock mock = world.mock(ioas);
  EXPECT_EQ(world.check_refs(kHeap, kPage, 1), 0);
  EXPECT_EQ(world.check_refs(kHeap, kPage, 0), EIO);
  EXPECT_EQ(world.check_refs(kHeap, 2 * kPage, 1), EIO);
  ASSERT_EQ(world.ioas_map(ioas, kHeap, kPage, kMockStart + kPage), 0);
  EXPECT_EQ(world.check_refs(kHeap, kPage, 2), 0) << "a second mapping has pages of its own";
  EXPECT_EQ(world.destroy(mock.stdev), 0);
  EXPECT_EQ(world.check_refs(kHeap, kPage, 0), 0);
}

}  // namespace
}  // namespace iommusim::selftest
