// SPDX-License-Identifier: Apache-2.0
// IOAS_ALLOC, IOVA_RANGES, ALLOW_IOVAS: every error row, in its order.
#include "iommufd/ioas.h"

#include <gtest/gtest.h>

#include "world.h"

namespace iommusim::iommufd {
namespace {

using Ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

struct IoasTest : ::testing::Test {
  void put(const Ranges& list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      const uapi::IommuIovaRange entry{list[i].first, list[i].second};
      ASSERT_EQ(world.user.copy_to_user(kHeap + i * sizeof entry, &entry, sizeof entry), 0);
    }
  }
  int allow(ObjectId id, const Ranges& list, std::uint32_t reserved = 0, std::uint64_t at = kHeap) {
    put(list);
    uapi::IommuIoasAllowIovas argument{0, id, static_cast<std::uint32_t>(list.size()), reserved, at};
    return world.call(uapi::kIommuIoasAllowIovas, argument);
  }
  std::uint64_t chosen(ObjectId id) {
    uapi::IommuIoasMap argument{0, kReadWrite, id, 0, kLinear, kPage, 0};
    return world.call(uapi::kIommuIoasMap, argument) == 0 ? argument.iova : 0;
  }
  World world;
};

TEST_F(IoasTest, AllocRefusesFlags) {
  uapi::IommuIoasAlloc argument{0, 1, 0};
  EXPECT_EQ(world.call(uapi::kIommuIoasAlloc, argument), EOPNOTSUPP);
  EXPECT_EQ(world.ioas(), 1U);
  EXPECT_EQ(world.ioas(), 2U);
}

TEST_F(IoasTest, AFreshOneHasOneRange) {
  uapi::IommuIoasIovaRanges argument{0, world.ioas(), 4, 0, kHeap, 0};
  ASSERT_EQ(world.call(uapi::kIommuIoasIovaRanges, argument), 0);
  EXPECT_EQ(argument.num_iovas, 1U);
  EXPECT_EQ(argument.out_iova_alignment, 1U);
  uapi::IommuIovaRange range{};
  ASSERT_EQ(world.user.copy_from_user(&range, kHeap, sizeof range), 0);
  EXPECT_EQ(range.start, 0U);
  EXPECT_EQ(range.last, ~0ULL);
}

TEST_F(IoasTest, RangesAnswersInOrder) {
  const ObjectId id = world.ioas();
  uapi::IommuIoasIovaRanges argument{0, 99, 1, 1, 0xdead000, 0};
  EXPECT_EQ(world.call(uapi::kIommuIoasIovaRanges, argument), EOPNOTSUPP);
  argument.reserved = 0;
  EXPECT_EQ(world.call(uapi::kIommuIoasIovaRanges, argument), ENOENT);
  argument.ioas_id = id;
  EXPECT_EQ(world.call(uapi::kIommuIoasIovaRanges, argument), EFAULT);
  EXPECT_EQ(argument.num_iovas, 1U);
}

TEST_F(IoasTest, RangesTellsTheTotalThoughTheyDoNotFit) {
  const ObjectId id = world.ioas();
  {
    const auto ioas = world.context->objects().hold<Ioas>(id);
    ASSERT_EQ(ioas->space().reserve({0x100000, 0x1FFFFF}, this), 0);
    ASSERT_EQ(ioas->space().reserve({0x200000, 0x2FFFFF}, this), 0);
  }
  uapi::IommuIoasIovaRanges probe{0, id, 0, 0, 0, 0};
  EXPECT_EQ(world.call(uapi::kIommuIoasIovaRanges, probe), EMSGSIZE);
  EXPECT_EQ(probe.num_iovas, 2U);
  EXPECT_EQ(probe.out_iova_alignment, 1U);
  const std::uint64_t end = kHeap + (32 << 20);  // room for one entry
  uapi::IommuIoasIovaRanges one{0, id, 1, 0, end - 16, 0};
  EXPECT_EQ(world.call(uapi::kIommuIoasIovaRanges, one), EMSGSIZE);
  uapi::IommuIovaRange range{};
  ASSERT_EQ(world.user.copy_from_user(&range, end - 16, sizeof range), 0);
  EXPECT_EQ(range.last, 0xFFFFFU);
  uapi::IommuIoasIovaRanges two{0, id, 2, 0, end - 16, 0};
  EXPECT_EQ(world.call(uapi::kIommuIoasIovaRanges, two), EFAULT);
}

TEST_F(IoasTest, AllowAnswersInOrderAndKeepsTheOldListOnErrors) {
  const ObjectId id = world.ioas();
  EXPECT_EQ(allow(99, {{1, 2}}, 1), EOPNOTSUPP);
  EXPECT_EQ(allow(99, {{1, 2}}), ENOENT);
  ASSERT_EQ(allow(id, {{0x40000, 0x4FFFF}}), 0);
  EXPECT_EQ(allow(id, {{1, 2}}, 0, 0xdead000), EFAULT);
  EXPECT_EQ(allow(id, {{5, 5}}), EINVAL) << "one address is refused";
  EXPECT_EQ(allow(id, {{6, 5}}), EINVAL);
  EXPECT_EQ(allow(id, {{0x1000, 0x1FFF}, {0x1FFF, 0x2FFF}}), EINVAL);
  {
    const auto ioas = world.context->objects().hold<Ioas>(id);
    ASSERT_EQ(ioas->space().reserve({0x100000, 0x1FFFFF}, this), 0);
  }
  EXPECT_EQ(allow(id, {{0x1000, 0x1FFF}, {0x1FF000, 0x2FF000}}), EADDRINUSE);
  EXPECT_EQ(chosen(id), 0x40000U);
  ASSERT_EQ(allow(id, {}), 0);
  EXPECT_EQ(chosen(id), 0x1000U);
}

TEST_F(IoasTest, AllowRestrictsAutomaticChoiceOnly) {
  const ObjectId id = world.ioas();
  ASSERT_EQ(allow(id, {{0x80000, 0x80FFF}}), 0);
  EXPECT_EQ(world.ioas_map(id, kHeap, kPage, 0x1000), 0);
  EXPECT_EQ(chosen(id), 0x80000U);
  uapi::IommuIoasMap argument{0, kReadWrite, id, 0, kLinear, kPage, 0};
  EXPECT_EQ(world.call(uapi::kIommuIoasMap, argument), ENOSPC);
}

}  // namespace
}  // namespace iommusim::iommufd
