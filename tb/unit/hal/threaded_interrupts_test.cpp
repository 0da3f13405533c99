// SPDX-License-Identifier: Apache-2.0
// ThreadedInterrupts: a raise is never lost, disconnecting waits for the running handler, messages find their vector.
#include "hal/threaded_interrupts.h"

#include <atomic>
#include <thread>

#include "hal/thread_os.h"

namespace iommusim::hal {
namespace {

template <class Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 2000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

struct InterruptsTest : ::testing::Test {
  ThreadOs os;
  ThreadedInterrupts interrupts{os, 2, MessageTarget{0x28000000, 40}};
};

TEST_F(InterruptsTest, RaiseDuringTheHandlerRunsItOnceMore) {
  std::atomic<int> runs{0};
  std::atomic<bool> go{false};
  interrupts.set_handler(0, [&] {
    ++runs;
    while (!go) std::this_thread::yield();
  });
  interrupts.raise(0);
  ASSERT_TRUE(eventually([&] { return runs == 1; }));
  interrupts.raise(0);
  interrupts.raise(0);
  go = true;
  ASSERT_TRUE(eventually([&] { return runs == 2; }));
  interrupts.set_handler(0, {});
  EXPECT_EQ(runs, 2);
}

TEST_F(InterruptsTest, DisconnectReturnsWhenNoHandlerRuns) {
  std::atomic<bool> inside{false};
  std::atomic<bool> done{false};
  interrupts.set_handler(1, [&] {
    inside = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    done = true;
  });
  interrupts.raise(1);
  ASSERT_TRUE(eventually([&] { return inside.load(); }));
  interrupts.set_handler(1, {});
  EXPECT_TRUE(done);
}

TEST_F(InterruptsTest, MessagesFindTheirVector) {
  std::atomic<int> runs{0};
  interrupts.set_handler(1, [&] { ++runs; });
  std::uint64_t address = 0;
  std::uint32_t data = 0;
  ASSERT_TRUE(interrupts.message_of(1, address, data));
  EXPECT_EQ(address, 0x28000000U);
  EXPECT_EQ(data, 41U);
  EXPECT_FALSE(interrupts.deliver(address, 39));
  EXPECT_FALSE(interrupts.deliver(address, 42));
  EXPECT_FALSE(interrupts.deliver(address + 4, 41));
  EXPECT_TRUE(interrupts.deliver(address, data));
  EXPECT_TRUE(eventually([&] { return runs == 1; }));
}

}  // namespace
}  // namespace iommusim::hal
