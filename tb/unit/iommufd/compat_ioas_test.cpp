// SPDX-License-Identifier: Apache-2.0
// VFIO_IOAS: each answer in its order, and that the choice is no reference.
#include "iommufd/compat_ioas.h"

#include <gtest/gtest.h>

#include "world.h"

namespace iommusim::iommufd {
namespace {

struct CompatIoas : ::testing::Test {
  int vfio_ioas(std::uint16_t op, ObjectId& id, std::uint16_t reserved = 0) {
    uapi::IommuVfioIoas argument{0, id, op, reserved};
    const int error = world.call(uapi::kIommuVfioIoas, argument);
    id = argument.ioas_id;
    return error;
  }
  int vfio_ioas(std::uint16_t op) {
    ObjectId none = 0;
    return vfio_ioas(op, none);
  }
  World world;
};

TEST_F(CompatIoas, AnswersInOrder) {
  ObjectId id = 99;
  EXPECT_EQ(vfio_ioas(3, id, 1), EOPNOTSUPP) << "reserved";
  EXPECT_EQ(vfio_ioas(3, id), EOPNOTSUPP) << "no such operation";
  EXPECT_EQ(vfio_ioas(uapi::kIommuVfioIoasGet), ENODEV);
  EXPECT_EQ(vfio_ioas(uapi::kIommuVfioIoasSet, id), ENOENT);
  EXPECT_EQ(vfio_ioas(uapi::kIommuVfioIoasClear), 0) << "even when there is none";
}

TEST_F(CompatIoas, SetGetClear) {
  ObjectId ioas = world.ioas();
  EXPECT_EQ(vfio_ioas(uapi::kIommuVfioIoasSet, ioas), 0);
  ObjectId got = 0;
  EXPECT_EQ(vfio_ioas(uapi::kIommuVfioIoasGet, got), 0);
  EXPECT_EQ(got, ioas);
  EXPECT_EQ(vfio_ioas(uapi::kIommuVfioIoasClear), 0);
  EXPECT_EQ(vfio_ioas(uapi::kIommuVfioIoasGet), ENODEV);
}

TEST_F(CompatIoas, IsNoReference) {
  ObjectId ioas = world.ioas();
  ASSERT_EQ(vfio_ioas(uapi::kIommuVfioIoasSet, ioas), 0);
  EXPECT_EQ(world.destroy(ioas), 0);
  EXPECT_EQ(vfio_ioas(uapi::kIommuVfioIoasGet), ENODEV);
  EXPECT_EQ(world.ioas(), ioas) << "the id is free";
  EXPECT_EQ(vfio_ioas(uapi::kIommuVfioIoasGet), ENODEV) << "and its next owner was not chosen";
}

TEST_F(CompatIoas, TheKernelMakesOneOnlyIfThereIsNone) {
  EXPECT_EQ(compat_ioas_create(*world.context), 0);
  ObjectId first = 0;
  ASSERT_EQ(vfio_ioas(uapi::kIommuVfioIoasGet, first), 0);
  EXPECT_EQ(compat_ioas_create(*world.context), 0);
  ObjectId again = 0;
  ASSERT_EQ(vfio_ioas(uapi::kIommuVfioIoasGet, again), 0);
  EXPECT_EQ(again, first);
  EXPECT_EQ(world.ioas(), first + 1) << "no other object is left behind";
}

}  // namespace
}  // namespace iommusim::iommufd
