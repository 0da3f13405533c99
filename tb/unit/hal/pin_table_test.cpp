// SPDX-License-Identifier: Apache-2.0
#include "hal/pin_table.h"

#include <gtest/gtest.h>

namespace iommusim::hal {
namespace {

TEST(PinTable, CountsEachPageByItself) {
  PinTable pins;
  pins.add(0x1000);
  pins.add(0x1000);
  pins.add(0x200000);
  EXPECT_EQ(pins.pins(0x1000), 2U);
  EXPECT_EQ(pins.pins(0x2000), 0U);
  EXPECT_EQ(pins.pins(0x10000000), 0U);
  EXPECT_EQ(pins.pages(), 2U);
  EXPECT_FALSE(pins.drop(0x1000));
  EXPECT_TRUE(pins.drop(0x1000));
  EXPECT_THROW(pins.drop(0x1000), Contradiction);
  EXPECT_TRUE(pins.drop(0x200000));
  EXPECT_EQ(pins.pages(), 0U);
}

}  // namespace
}  // namespace iommusim::hal
