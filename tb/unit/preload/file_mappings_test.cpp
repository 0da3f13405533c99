// SPDX-License-Identifier: Apache-2.0
// Pieces of mappings follow what the program does with its addresses.
#include "preload/file_mappings.h"

namespace iommusim::preload {
namespace {

struct NoRegisters final : hal::MappedRegisters {
  std::uint64_t load(std::uint64_t, unsigned) override { return 0; }
  void store(std::uint64_t, unsigned, std::uint64_t) override {}
};

struct FileMappingsTest : ::testing::Test {
  FileMappingsTest() {
    hal::MappedRegion region;
    region.registers = std::make_shared<NoRegisters>();
    region.offset = 0x1000;
    region.hold = hold;
    mappings.add(0x10000, 0x4000, region, 3);
  }
  bool shows(std::uint64_t va, std::uint64_t offset) {
    std::uint64_t found = 0;
    int prot = 0;
    return mappings.find(va, found, prot) != nullptr && found == offset;
  }

  std::shared_ptr<int> hold = std::make_shared<int>();
  FileMappings mappings;
};

TEST_F(FileMappingsTest, FindsTheOffsetAndTheRightEnd) {
  EXPECT_TRUE(shows(0x10000, 0x1000));
  EXPECT_TRUE(shows(0x13FFF, 0x4FFF));
  EXPECT_FALSE(shows(0x14000, 0x5000));
  EXPECT_FALSE(shows(0xFFFF, 0xFFF));
}

TEST_F(FileMappingsTest, TheHoldEndsWithTheLastPage) {
  mappings.remove(0x11000, 0x1000);
  EXPECT_TRUE(shows(0x12000, 0x3000));
  EXPECT_FALSE(shows(0x11000, 0x2000));
  mappings.remove(0x10000, 0x1000);
  EXPECT_GT(hold.use_count(), 1);
  mappings.remove(0x12000, 0x9000);
  EXPECT_EQ(hold.use_count(), 1);
  EXPECT_TRUE(mappings.empty());
}

TEST_F(FileMappingsTest, MovesWithItsOffset) {
  mappings.move(0x12000, 0x1000, 0x90000);
  EXPECT_TRUE(shows(0x90010, 0x3010));
  EXPECT_FALSE(shows(0x12000, 0x3000));
  EXPECT_TRUE(shows(0x13000, 0x4000));
}

TEST_F(FileMappingsTest, RightsAreNotedForPagesOfRegistersOnly) {
  EXPECT_TRUE(mappings.set_rights(0x11000, 0x1000, 1));
  std::uint64_t offset = 0;
  int prot = 0;
  mappings.find(0x11000, offset, prot);
  EXPECT_EQ(prot, 1);
  mappings.find(0x12000, offset, prot);
  EXPECT_EQ(prot, 3);
  EXPECT_FALSE(mappings.set_rights(0x20000, 0x1000, 1));
}

}  // namespace
}  // namespace iommusim::preload
