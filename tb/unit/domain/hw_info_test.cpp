// SPDX-License-Identifier: Apache-2.0
// The bytes of a structure become the data of HwInfo.
#include "domain/hw_info.h"

namespace iommusim::domain {
namespace {

TEST(HwInfo, HoldsTheBytesOfAStructure) {
  const std::uint32_t word = 0x04030201;
  const HwInfo info = HwInfo::of(9, word);
  EXPECT_EQ(info.type, 9U);
  EXPECT_EQ(info.data, (std::vector<unsigned char>{1, 2, 3, 4}));
}

}  // namespace
}  // namespace iommusim::domain
