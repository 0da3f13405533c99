// SPDX-License-Identifier: Apache-2.0
#include "platform/exec/interrupt_courier.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "hal/thread_os.h"

namespace iommusim::platform {
namespace {

TEST(InterruptCourier, DeliversInOrderAndAllBeforeItStops) {
  hal::ThreadOs os;
  std::vector<int> delivered;
  InterruptCourier courier(os, 0);
  for (int i = 0; i < 1000; ++i) courier.post([&, i] { delivered.push_back(i); });
  courier.stop();
  ASSERT_EQ(delivered.size(), 1000U);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(delivered[static_cast<std::size_t>(i)], i);
  courier.post([&] { delivered.clear(); });
  courier.stop();
  EXPECT_EQ(delivered.size(), 1000U);
}

TEST(InterruptCourier, WithoutAnInterruptThereIsNoThread) {
  hal::ThreadOs os;
  InterruptCourier courier(os, 0);
  courier.stop();
}

TEST(InterruptCourier, MayBePostedToFromADelivery) {
  hal::ThreadOs os;
  std::atomic<int> delivered{0};
  InterruptCourier courier(os, 0);
  courier.post([&] { courier.post([&] { delivered = 2; }); });
  while (delivered.load() == 0) std::this_thread::yield();
  courier.stop();
}

}  // namespace
}  // namespace iommusim::platform
