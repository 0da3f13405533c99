// SPDX-License-Identifier: Apache-2.0
#include "timing/memory_port.h"

#include <gtest/gtest.h>

namespace iommusim::timing {
namespace {

struct MemoryPortTest : ::testing::Test {
  stats::Group root{"root"};
  MemoryPortStats stats{root, "port"};
  translate::Ask ask{};
  MemoryPortTest() {
    ask.kind = translate::AskKind::kRead;
    ask.memory.structure = translate::Structure::kFirstStage;
    ask.memory.level = 2;
  }
};

TEST_F(MemoryPortTest, IssueCyclesSpacesAccesses) {
  MemoryPort port({8, 3}, 8, stats);
  port.request(1, ask);
  port.request(2, ask);
  EXPECT_TRUE(port.issue(10));
  EXPECT_FALSE(port.issue(12));
  EXPECT_EQ(port.next_event(), 13U);
  EXPECT_TRUE(port.issue(13));
  EXPECT_EQ(stats.issued.value(), 2U);
  EXPECT_EQ(stats.of(translate::Structure::kFirstStage, 2), 2U);
  EXPECT_EQ(stats.of(translate::Structure::kFirstStage, 1), 0U);
}

TEST_F(MemoryPortTest, IssueCyclesOfZeroLetsAllLeaveInOneCycle) {
  MemoryPort port({8, 0}, 8, stats);
  for (std::uint32_t tag = 1; tag < 4; ++tag) port.request(tag, ask);
  for (unsigned i = 0; i < 3; ++i) EXPECT_TRUE(port.issue(10));
  EXPECT_FALSE(port.issue(10));
}

TEST_F(MemoryPortTest, OutstandingLimitsWhatIsInFlight) {
  MemoryPort port({1, 1}, 8, stats);
  port.request(1, ask);
  port.request(2, ask);
  EXPECT_TRUE(port.issue(10));
  port.issued().pop();
  EXPECT_FALSE(port.issue(11));
  EXPECT_EQ(port.next_event(), base::kNever);
  port.answer(1, {}, 50);
  EXPECT_FALSE(port.has_answer(49));
  ASSERT_TRUE(port.has_answer(50));
  EXPECT_EQ(port.take_answer(50).tag, 1U);
  EXPECT_TRUE(port.issue(50));
}

}  // namespace
}  // namespace iommusim::timing
