// SPDX-License-Identifier: Apache-2.0
// PSCIDs: never 0, never twice, lowest first, all 2^20 - 1 of them.
#include "drivers/riscv/riscv_system.h"

#include "hal/contradiction.h"
#include "hal/thread_os.h"

namespace iommusim::drivers::riscv {
namespace {

TEST(RiscvSystem, PscidsAreUniqueAndComeBack) {
  hal::ThreadOs os;
  RiscvSystem system(os);
  EXPECT_EQ(system.pscids().take(), 1U);
  EXPECT_EQ(system.pscids().take(), 2U);
  system.pscids().give_back(1);
  EXPECT_EQ(system.pscids_in_use(), 1U);
  EXPECT_EQ(system.pscids().take(), 1U);
  EXPECT_EQ(system.pscids().take(), 3U);
  system.pscids().give_back(2);
  EXPECT_THROW(system.pscids().give_back(2), hal::Contradiction);
  EXPECT_THROW(system.pscids().give_back(9), hal::Contradiction);
}

TEST(RiscvSystem, ThereAreTwentyBitsOfPscids) {
  hal::ThreadOs os;
  RiscvSystem system(os);
  for (std::uint32_t i = 1; i < 1U << 20; ++i) ASSERT_EQ(system.pscids().take(), i);
  EXPECT_EQ(system.pscids().take(), 0U);
}

TEST(RiscvSystem, ANumberThatNobodyKeepsComesBack) {
  hal::ThreadOs os;
  RiscvSystem system(os);
  {
    TakenNumber first(system.gscids()), second(system.gscids());
    EXPECT_EQ(first.number(), 1U);
    EXPECT_EQ(second.number(), 2U);
    second.keep();
  }
  EXPECT_EQ(system.gscids_in_use(), 1U);
  EXPECT_EQ(system.gscids().take(), 1U);
  EXPECT_EQ(system.gscids().take(), 3U);
}

TEST(RiscvSystem, GroupsKeepTheirAddress) {
  hal::ThreadOs os;
  RiscvSystem system(os);
  domain::Group& group = system.group(4);
  EXPECT_EQ(group.id, 4U);
  (void)system.group(1);
  EXPECT_EQ(&system.group(4), &group);
}

}  // namespace
}  // namespace iommusim::drivers::riscv
