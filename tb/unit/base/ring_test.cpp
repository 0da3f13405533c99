// SPDX-License-Identifier: Apache-2.0
// The ring behaves as a queue of bounded length.
#include "base/ring.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <deque>

namespace iommusim::base {
namespace {

TEST(Ring, RefusesWhatWouldOverrun) {
  Ring<int> ring(2);
  EXPECT_THROW(ring.pop(), Contradiction);
  ring.push(1);
  ring.push(2);
  EXPECT_TRUE(ring.full());
  EXPECT_THROW(ring.push(3), Contradiction);
  ring.clear();
  EXPECT_TRUE(ring.empty());
  EXPECT_EQ(ring.capacity(), 2U);
}

RC_GTEST_PROP(Ring, EqualsADeque, (const std::vector<std::uint8_t>& steps)) {
  Ring<int> ring(5);
  std::deque<int> model;
  for (const std::uint8_t step : steps) {
    if (step % 2 == 0 && !ring.full()) {
      ring.push(step);
      model.push_back(step);
    } else if (!ring.empty()) {
      RC_ASSERT(ring.front() == model.front());
      ring.pop();
      model.pop_front();
    }
    RC_ASSERT(ring.size() == model.size());
    for (std::size_t i = 0; i < model.size(); ++i) RC_ASSERT(ring.at(i) == model[i]);
  }
}

}  // namespace
}  // namespace iommusim::base
