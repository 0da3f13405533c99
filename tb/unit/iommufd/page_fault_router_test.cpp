// SPDX-License-Identifier: Apache-2.0
// Which page table's queue gets a page fault, by PASID; and what nobody wants is answered.
#include "iommufd/page_fault_router.h"

#include <gtest/gtest.h>

#include "guest_world.h"

namespace iommusim::iommufd {
namespace {

using domain::PageAnswer;

domain::PageFaultGroup with_pasid(std::uint32_t pasid, std::uint32_t index) {
  domain::PageFaultGroup group;
  group.process_valid = pasid != 0;
  group.process_id = pasid;
  group.index = index;
  group.pages.resize(1);
  return group;
}

struct PageFaultRouterTest : ::testing::Test {
  PageFaultRouterTest() {
    first = world.fault_queue(first_fd);
    second = world.fault_queue(second_fd);
  }
  ObjectId with(ObjectId fault) {
    return world.hwpt(world.paging(uapi::kIommuHwptFaultIdValid | uapi::kIommuHwptPasid, fault));
  }
  bool arrived(int fd) {
    const bool any = (world.ready(fd) & 1) != 0;
    world.read(fd, world.slot(), 40);
    return any;
  }
  GuestWorld world;
  int first_fd = -1, second_fd = -1;
  ObjectId first = 0, second = 0;
};

TEST_F(PageFaultRouterTest, EachPasidHasItsQueue) {
  ASSERT_EQ(world.attach(world.dev, with(first)), 0);
  ASSERT_EQ(world.attach(world.dev, with(second), 3), 0);
  ASSERT_TRUE(world.device.ask(with_pasid(0, 1)));
  EXPECT_TRUE(arrived(first_fd));
  EXPECT_FALSE(arrived(second_fd));
  ASSERT_TRUE(world.device.ask(with_pasid(3, 2)));
  EXPECT_FALSE(arrived(first_fd));
  EXPECT_TRUE(arrived(second_fd));
  ASSERT_TRUE(world.device.ask(with_pasid(4, 3)));
  EXPECT_EQ(world.device.answers.back(), std::make_pair(3U, PageAnswer::kInvalid)) << "nobody's";
  EXPECT_EQ(world.detach(world.dev, 3), 0);
  EXPECT_EQ(world.device.answers.back(), std::make_pair(2U, PageAnswer::kInvalid)) << "of that PASID only";
  EXPECT_EQ(world.device.answers.size(), 2U);
  ASSERT_TRUE(world.device.ask(with_pasid(0, 5))) << "still wanted by the other attachment";
  EXPECT_TRUE(arrived(first_fd));
}

TEST_F(PageFaultRouterTest, AnAttachmentWithoutAQueueIsNobodys) {
  ASSERT_EQ(world.attach(world.dev, world.hwpt(world.paging(uapi::kIommuHwptPasid))), 0);
  EXPECT_FALSE(world.device.ask(with_pasid(0, 1)));
  ASSERT_EQ(world.attach(world.dev, with(first), 3), 0);
  ASSERT_TRUE(world.device.ask(with_pasid(0, 1)));
  EXPECT_EQ(world.device.answers.back(), std::make_pair(1U, PageAnswer::kInvalid));
}

TEST_F(PageFaultRouterTest, AGuestThatKeepsThePasidsGetsThemAll) {
  const ObjectId parent = world.parent();
  const ObjectId nested = world.hwpt(world.nested(parent, uapi::kIommuHwptFaultIdValid, first));
  ASSERT_EQ(world.attach(world.dev, nested), 0);
  ASSERT_TRUE(world.device.ask(with_pasid(7, 1)));
  EXPECT_TRUE(arrived(first_fd));
  EXPECT_EQ(world.detach(world.dev), 0);
  EXPECT_EQ(world.device.answers.back(), std::make_pair(1U, PageAnswer::kInvalid));
}

}  // namespace
}  // namespace iommusim::iommufd
