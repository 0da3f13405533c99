// SPDX-License-Identifier: Apache-2.0
#include "timing/lookup_stage.h"

#include <gtest/gtest.h>

namespace iommusim::timing {
namespace {

TEST(LookupStage, LookupCyclesIsTheTimeToTheAnswer) {
  LookupStage stage(4, 3, 1);
  stage.start(10, 7);
  EXPECT_EQ(stage.next_event(), 13U);
  EXPECT_FALSE(stage.ready(12));
  ASSERT_TRUE(stage.ready(13));
  EXPECT_EQ(stage.take(), 7U);
  EXPECT_EQ(stage.next_event(), base::kNever);
}

TEST(LookupStage, PortsLimitTheStartsOfACycle) {
  LookupStage stage(8, 1, 2);
  for (std::uint32_t slot = 0; slot < 5; ++slot) stage.start(10, slot);
  int done_at[3] = {0, 0, 0};
  for (base::Cycle cycle = 11; cycle < 14; ++cycle)
    while (stage.ready(cycle)) {
      stage.take();
      ++done_at[cycle - 11];
    }
  EXPECT_EQ(done_at[0], 2);
  EXPECT_EQ(done_at[1], 2);
  EXPECT_EQ(done_at[2], 1);
}

TEST(LookupStage, ZeroCyclesAnswersAtOnce) {
  LookupStage stage(2, 0, 1);
  stage.start(5, 1);
  EXPECT_TRUE(stage.ready(5));
}

}  // namespace
}  // namespace iommusim::timing
