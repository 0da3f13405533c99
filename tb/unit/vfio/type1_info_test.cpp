// SPDX-License-Identifier: Apache-2.0
// IOMMU_GET_INFO: page sizes, the chain of capabilities, and replies that do not fit.
#include <gtest/gtest.h>

#include "world.h"

namespace iommusim::vfio {
namespace {

struct Type1InfoTest : ::testing::Test {
  struct Reply {
    uapi::VfioIommuType1Info info;
    uapi::VfioType1CapDmaAvail avail;
    std::uint32_t gap;
    uapi::VfioType1CapIovaRange ranges;
    uapi::IommuIovaRange list[8];
  };
  static_assert(offsetof(Reply, ranges) == 40 && offsetof(Reply, list) == 56);

  Reply ask(std::uint32_t argsz = sizeof(Reply)) {
    Reply reply;
    std::memset(&reply, 0xAA, sizeof reply);
    reply.info.argsz = argsz;
    EXPECT_EQ(world.ioctl(container, uapi::kVfioIommuGetInfo, reply), 0);
    return reply;
  }
  VfioWorld world;
  int container = world.open_container();
  int group = world.open_group(11);
};

TEST_F(Type1InfoTest, WithoutAPageTable) {
  ASSERT_EQ(world.ioctl(group, uapi::kVfioGroupSetContainer, container), 0);
  const Reply reply = ask();
  EXPECT_EQ(reply.info.flags, 3U);
  EXPECT_EQ(reply.info.iova_pgsizes, ~0ULL << 12) << "any size";
  EXPECT_EQ(reply.info.cap_offset, 24U);
  EXPECT_EQ(reply.info.argsz, 24U + 16 + 16 + 16);
  EXPECT_EQ(reply.avail.header.id, 3);
  EXPECT_EQ(reply.avail.header.version, 1);
  EXPECT_EQ(reply.avail.header.next, 40U);
  EXPECT_EQ(reply.avail.avail, 0xFFFF'FFFFU);
  EXPECT_EQ(reply.ranges.header.id, 1);
  EXPECT_EQ(reply.ranges.header.version, 1);
  EXPECT_EQ(reply.ranges.header.next, 0U);
  ASSERT_EQ(reply.ranges.nr_iovas, 1U);
  EXPECT_EQ(reply.list[0].start, 0U);
  EXPECT_EQ(reply.list[0].last, ~0ULL);
}

TEST_F(Type1InfoTest, WithAPageTable) {
  ASSERT_EQ(world.ioctl(group, uapi::kVfioGroupSetContainer, container), 0);
  char name[] = "0000:00:04.0";
  ASSERT_GT(world.ioctl(group, uapi::kVfioGroupGetDeviceFd, name), 0);
  const Reply reply = ask();
  EXPECT_EQ(reply.info.iova_pgsizes, world.iommu.options().page_sizes);
  ASSERT_EQ(reply.ranges.nr_iovas, 1U);
  EXPECT_EQ(reply.list[0].last, world.iommu.options().aperture_last);
}

TEST_F(Type1InfoTest, AllOfTheChainOrNoneOfIt) {
  ASSERT_EQ(world.ioctl(group, uapi::kVfioGroupSetContainer, container), 0);
  for (const std::uint32_t argsz : {16U, 20U, 24U, 40U, 71U}) {
    const Reply reply = ask(argsz);
    EXPECT_EQ(reply.info.argsz, 72U) << "what is needed";
    EXPECT_EQ(reply.info.flags, 3U);
    EXPECT_EQ(reply.info.cap_offset, argsz >= 20 ? 0U : 0xAAAA'AAAAU) << "never beyond argsz";
    EXPECT_EQ(reply.info.pad, argsz >= 24 ? 0U : 0xAAAA'AAAAU);
    EXPECT_EQ(reply.avail.header.id, 0xAAAA);
  }
  EXPECT_EQ(ask(72).info.cap_offset, 24U);
}

}  // namespace
}  // namespace iommusim::vfio
