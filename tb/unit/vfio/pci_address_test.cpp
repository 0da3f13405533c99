// SPDX-License-Identifier: Apache-2.0
// Names of functions.
#include "vfio/pci_address.h"

#include <gtest/gtest.h>

namespace iommusim::vfio {
namespace {

TEST(PciAddressNames, AreRoundTrips) {
  PciAddress address;
  ASSERT_TRUE(PciAddress::parse("0001:a3:1f.7", address));
  EXPECT_EQ(address.segment, 1);
  EXPECT_EQ(address.bus, 0xA3);
  EXPECT_EQ(address.devfn, 0xFF);
  EXPECT_EQ(address.name(), "0001:a3:1f.7");
  for (const char* bad : {"", "00:04.0", "0000:00:04", "0000:00:20.0", "0000:00:04.8", "0000:00:04.0 ", "0000:00:4.0"})
    EXPECT_FALSE(PciAddress::parse(bad, address)) << bad;
}

}  // namespace
}  // namespace iommusim::vfio
