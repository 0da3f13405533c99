// SPDX-License-Identifier: Apache-2.0
// Polling: seen at once, given up at the limit and not before, few polls in a long wait.
#include "drivers/riscv/ports.h"

#include "bench.h"

namespace iommusim::drivers::riscv::test {
namespace {

TEST(PollUntil, WhatHoldsAlreadyTakesNoTime) {
  ManualOs os;
  EXPECT_TRUE(poll_until(os, 0, [] { return true; }));
  EXPECT_EQ(os.now_ns(), 0U);
}

TEST(PollUntil, GivesUpAtTheLimitWithOneLastLook) {
  ManualOs os;
  EXPECT_FALSE(poll_until(os, 1000, [&] { return os.now_ns() > 1200; }));
  ManualOs exact;
  EXPECT_TRUE(poll_until(exact, 1000, [&] { return exact.now_ns() >= 1000; }));
}

TEST(PollUntil, ALongWaitCostsFewPolls) {
  ManualOs os;
  unsigned polls = 0;
  EXPECT_FALSE(poll_until(os, kInvalidationLimitNs, [&] { return ++polls == 0; }));
  EXPECT_LT(polls, 100000U);
  EXPECT_GE(os.now_ns(), kInvalidationLimitNs);
}

TEST(PollUntil, LosesAtMostAnEighth) {
  for (const std::uint64_t due : {3000U, 70000U, 900000U}) {
    ManualOs os;
    EXPECT_TRUE(poll_until(os, kQueueLimitNs, [&] { return os.now_ns() >= due; }));
    EXPECT_LE(os.now_ns(), due + due / 8);
  }
}

}  // namespace
}  // namespace iommusim::drivers::riscv::test
