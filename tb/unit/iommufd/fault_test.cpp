// SPDX-License-Identifier: Apache-2.0
// A fault queue must not end while a page fault is owed an answer.
#include "iommufd/fault.h"

#include <gtest/gtest.h>

#include "guest_world.h"

namespace iommusim::iommufd {
namespace {

TEST(Fault, MustBeEmptyAtItsEnd) {
  GuestWorld world;
  const auto device = world.context->objects().hold<Device>(world.dev);
  domain::PageFaultGroup group;
  group.pages.resize(1);
  const auto end_with_one = [&] {
    Fault fault(world.os);
    fault.deliver(*device, 0, group);
  };
  EXPECT_DEATH(end_with_one(), "");
  Fault fault(world.os);
  fault.deliver(*device, 0, group);
  fault.answer_all(*device, 1);
  EXPECT_TRUE(world.device.answers.empty()) << "came through another attachment";
  fault.answer_all(*device, 0);
  EXPECT_EQ(world.device.answers.size(), 1U);
}

}  // namespace
}  // namespace iommusim::iommufd
