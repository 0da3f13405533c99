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
  EXPECT_EQ(iofence_commands(), (Command{0x2, 0}));
  EXPECT_EQ(iofence(), (Command{0x2 | 1ULL << 12 | 1ULL << 13, 0}));
  EXPECT_EQ(inval_ddt_all(), (Command{0x3, 0}));
  EXPECT_EQ(inval_ddt(0xFEDCBA), (Command{0x3 | 1ULL << 33 | 0xFEDCBAULL << 40, 0}));
}

TEST(Commands, OfGuestsRangesAndProcesses) {
  EXPECT_EQ(iotinval_of_guest(0xABCD), (Command{0x1 | 1ULL << 33 | 0xABCDULL << 44, 0}));
  EXPECT_EQ(iotinval_second_stage(0xABCD), (Command{0x1 | 1ULL << 7 | 1ULL << 33 | 0xABCDULL << 44, 0}));
  EXPECT_EQ(narrowed(iotinval_all(), 0x5000), (Command{0x1 | 1ULL << 10, 0x5ULL << 10}));
  EXPECT_EQ(narrowed(iotinval_all(), 0x6000, 13), (Command{0x1 | 1ULL << 10, 0x6ULL << 10 | 1ULL << 9})) << "8 KiB";
  EXPECT_EQ(narrowed(iotinval_all(), 0x200000, 21), (Command{0x1 | 1ULL << 10, 0x2ffULL << 10 | 1ULL << 9})) << "2 MiB";
  EXPECT_EQ(with_non_leaf(iotinval_all())[0], 0x1 | 1ULL << 34);
  EXPECT_EQ(inval_pdt(0xFEDCBA, 0xABCDE),
            (Command{0x3 | 1ULL << 7 | 0xABCDEULL << 12 | 1ULL << 33 | 0xFEDCBAULL << 40, 0}));
  EXPECT_EQ(ats_inval_of_process(0x18, 0xABCDE, 0x5000, 0x5fff),
            (Command{0x4 | 0xABCDEULL << 12 | 1ULL << 32 | 0x18ULL << 40, 0x5000}));
  EXPECT_EQ(ats_inval_of_every_process(0x18, 0x5000, 0x5fff), (Command{0x4 | 1ULL << 32 | 0x18ULL << 40, 0x5001}));
}

TEST(Commands, AtsNamesFunctionAndSegment) {
  EXPECT_EQ(ats_inval(0x18, 0x5000, 0x5fff), (Command{0x4 | 0x18ULL << 40, 0x5000}));
  EXPECT_EQ(ats_inval(0x31234, 0x5000, 0x5fff)[0], 0x4 | 1ULL << 33 | 0x1234ULL << 40 | 3ULL << 56);
  EXPECT_EQ(ats_prgr(0x18, 0x1ff, 1), (Command{0x4 | 1ULL << 7 | 0x18ULL << 40, 0x1ffULL << 32 | 1ULL << 44}));
  EXPECT_EQ(ats_prgr_of_process(0x18, 0xABCDE, 2, 15)[0],
            0x4 | 1ULL << 7 | 0xABCDEULL << 12 | 1ULL << 32 | 0x18ULL << 40);
}

TEST(Commands, AnAtsRangeIsTheSmallestThatCovers) {
  EXPECT_EQ(ats_range(0x5000, 0x5fff), 0x5000U);
  EXPECT_EQ(ats_range(0x4000, 0x5fff), 0x4000U | 1 << 11);
  EXPECT_EQ(ats_range(0x5000, 0x6fff), 0x4000U | 0x1000 | 1 << 11) << "16 KiB from 0x4000";
  EXPECT_EQ(ats_range(0x40000000, 0x401fffff), 0x40000000U | 0xff000 | 1 << 11) << "2 MiB";
  EXPECT_EQ(ats_range(0, ~0ULL), 0x7ffffffffffff000U | 1 << 11);
}

}  // namespace
}  // namespace iommusim::drivers::riscv
