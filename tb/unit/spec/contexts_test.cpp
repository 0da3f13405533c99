// SPDX-License-Identifier: Apache-2.0
#include "spec/contexts.h"

#include <gtest/gtest.h>

namespace iommusim::spec {

TEST(DeviceContext, AccessorsReadTheirBitAlone) {
  const auto with_tc = [](unsigned bit) { return DeviceContext{{1ULL << bit, 0, 0, 0}}; };
  EXPECT_TRUE(with_tc(0).valid());
  EXPECT_TRUE(with_tc(1).ats_enabled());
  EXPECT_TRUE(with_tc(2).page_requests_enabled());
  EXPECT_TRUE(with_tc(3).returns_gpa());
  EXPECT_TRUE(with_tc(4).faults_disabled());
  EXPECT_TRUE(with_tc(5).has_process_directory());
  EXPECT_TRUE(with_tc(7).updates_second_stage());
  EXPECT_TRUE(with_tc(8).updates_first_stage());
  EXPECT_TRUE(with_tc(9).default_process());
  EXPECT_TRUE(with_tc(10).first_stage_big_endian());
  EXPECT_TRUE(with_tc(11).sxl());
  EXPECT_FALSE(with_tc(12).valid() || with_tc(12).sxl() || with_tc(12).default_process());
}

TEST(DeviceContext, IdentifiersAndModesComeFromTheirWords) {
  const DeviceContext context{{1, 8ULL << 60 | 0xabcdULL << 44 | 0x1234, 0x54321ULL << 12, 10ULL << 60, 1ULL << 60}};
  EXPECT_EQ(context.gscid().value, 0xabcdU);
  EXPECT_EQ(context.pscid().value, 0x54321U);
  EXPECT_EQ(context.second_stage_mode(), iohgatp_mode::kSv39x4);
  EXPECT_EQ(context.fsc_mode(), iosatp_mode::kSv57);
  EXPECT_EQ(context.msi_mode(), msiptp_mode::kFlat);
  EXPECT_TRUE(context.second_stage_active());
}

TEST(ProcessContext, Accessors) {
  const ProcessContext context{{7ULL | 0x12345ULL << 12, 9ULL << 60}};
  EXPECT_TRUE(context.valid() && context.supervisor_allowed() && context.sum());
  EXPECT_EQ(context.pscid().value, 0x12345U);
  EXPECT_EQ(context.fsc_mode(), iosatp_mode::kSv48);
}

}  // namespace iommusim::spec
