// SPDX-License-Identifier: Apache-2.0
// Offsets of regions: lowest free ones, never 0, and none after the end of the owner.
#include "iommufd/mmap_regions.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "hal/thread_os.h"

namespace iommusim::iommufd {
namespace {

struct Owner final : Object {
  static constexpr ObjectType kType = ObjectType::kViommu;
  Owner() : Object(kType) {}
};

TEST(MmapRegions, TheLowestHoleThatFits) {
  hal::ThreadOs os;
  ObjectTable table(os, DestroyPolicy::kWait, nullptr);
  MmapRegions regions(os, table);
  Reservation made = table.reserve(std::make_unique<Owner>());
  Object& owner = made.object();
  std::uint64_t at[4] = {};
  EXPECT_EQ(regions.add(owner, 0x10000, 0x1000, at[0]), 0);
  EXPECT_EQ(regions.add(owner, 0x20000, 0x2000, at[1]), 0);
  EXPECT_EQ(regions.add(owner, 0x30000, 0x1000, at[2]), 0);
  EXPECT_EQ(at[0], 0x1000U);
  EXPECT_EQ(at[1], 0x2000U);
  EXPECT_EQ(at[2], 0x4000U);
  regions.remove(at[1]);
  EXPECT_EQ(regions.add(owner, 0, 0x3000, at[3]), 0);
  EXPECT_EQ(at[3], 0x5000U) << "the hole is too small";
  EXPECT_EQ(regions.add(owner, 0, 0x1000, at[3]), 0);
  EXPECT_EQ(at[3], 0x2000U);
  EXPECT_EQ(regions.add(owner, 0, ~0xFFFULL, at[3]), ENOMEM);

  std::uint64_t spa = 0;
  UsersRef<Object> hold;
  EXPECT_EQ(regions.map(at[0], 0x1000, spa, hold), ENXIO) << "the owner is not published";
  made.publish();
  EXPECT_EQ(regions.map(at[0], 0x1000, spa, hold), 0);
  EXPECT_EQ(spa, 0x10000U);
  EXPECT_EQ(table.destroy(1), EBUSY);
  hold.drop();
  regions.remove_all(owner);
  EXPECT_EQ(regions.map(at[0], 0x1000, spa, hold), ENXIO);
  EXPECT_EQ(table.destroy(1), 0);
}

}  // namespace
}  // namespace iommusim::iommufd
