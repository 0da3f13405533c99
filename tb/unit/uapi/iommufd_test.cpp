// SPDX-License-Identifier: Apache-2.0
// The bytes of the ABI, written down a second time by hand: what a program compiled against Linux's header would pass.
#include "uapi/iommufd.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace iommusim::uapi {
namespace {

template <class T>
std::vector<unsigned char> bytes_of(const T& value) {
  std::vector<unsigned char> out(sizeof value);
  std::memcpy(out.data(), &value, sizeof value);
  return out;
}

TEST(Iommufd, MapIsLaidOutAsOnLinux) {
  const IommuIoasMap map{40, 7, 1, 0, 0x1122334455667788, 0x1000, 0x2000};
  const std::vector<unsigned char> expected = {40, 0, 0,    0,    7,    0,    0,    0,    1,    0,    0, 0,    0, 0,
                                               0,  0, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0, 0x10, 0, 0,
                                               0,  0, 0,    0,    0,    0x20, 0,    0,    0,    0,    0, 0};
  EXPECT_EQ(bytes_of(map), expected);
}

TEST(Iommufd, OptionPacksTwoHalfWords) {
  const IommuOption option{24, 1, 0x0203, 0x0405, 6, 7};
  const std::vector<unsigned char> expected = {24, 0, 0, 0, 1, 0, 0, 0, 3, 2, 5, 4, 6, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(bytes_of(option), expected);
}

TEST(Iommufd, MapFlagsAreTheDevicesView) {
  EXPECT_EQ(kIommuIoasMapFixedIova, 1U);
  EXPECT_EQ(kIommuIoasMapWriteable, 2U);
  EXPECT_EQ(kIommuIoasMapReadable, 4U);
}

}  // namespace
}  // namespace iommusim::uapi
