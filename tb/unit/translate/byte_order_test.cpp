// SPDX-License-Identifier: Apache-2.0
#include "translate/byte_order.h"

#include <gtest/gtest.h>

namespace iommusim::translate {

TEST(ByteOrder, SwapsWordsOfEitherSize) {
  EXPECT_EQ(to_host(0x0102030405060708, 8, false), 0x0102030405060708U);
  EXPECT_EQ(to_host(0x0102030405060708, 8, true), 0x0807060504030201U);
  EXPECT_EQ(to_host(0x0102030405060708, 4, false), 0x05060708U);
  EXPECT_EQ(to_host(0x0102030405060708, 4, true), 0x08070605U);
}

}  // namespace iommusim::translate
