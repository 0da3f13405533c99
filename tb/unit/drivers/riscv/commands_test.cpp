// SPDX-License-Identifier: Apache-2.0
// Commands in bits, against the figures of IOMMU 3.1.
#include "drivers/riscv/commands.h"

namespace iommusim::drivers::riscv {
namespace {

TEST(Commands, HaveTheBitsOfTheSpecification) {
  EXPECT_EQ(iotinval_all(), (Command{0x1, 0}));
  EXPECT_EQ(iotinval_pscid(0xABCDE), (Command{0x1 | 0xABCDEULL << 12 | 1ULL << 32, 0}));
  EXPECT_EQ(iotinval_page(1, 0x7FFF'FFFF'F123),
            (Command{0x1 | 1ULL << 10 | 1ULL << 12 | 1ULL << 32, 0x7FFF'FFFF'FULL << 10}));
  EXPECT_EQ(iofence(), (Command{0x2 | 1ULL << 12 | 1ULL << 13, 0}));
  EXPECT_EQ(inval_ddt_all(), (Command{0x3, 0}));
  EXPECT_EQ(inval_ddt(0xFEDCBA), (Command{0x3 | 1ULL << 33 | 0xFEDCBAULL << 40, 0}));
}

}  // namespace
}  // namespace iommusim::drivers::riscv
