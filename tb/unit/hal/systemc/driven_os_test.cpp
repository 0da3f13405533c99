// SPDX-License-Identifier: Apache-2.0
// DrivenOs: host locks, simulated time. A wake is not lost, a wait with a limit ends at it, interrupts are handled in
// threads that block all signals.
#include "hal_systemc/driven_os.h"

#include <pthread.h>

#include <chrono>
#include <csignal>

#include "hal/threaded_interrupts.h"
#include "unit/tlm/sc_test.h"

namespace iommusim::hal {
namespace {

SC_TEST(DrivenOs, TimeIsSimulated) {
  SimDriver driver;
  DrivenOs os(driver, 20);
  os.spend_ns(100);
  EXPECT_EQ(os.now_ns(), 100U);
  os.relax();
  EXPECT_EQ(os.now_ns(), 120U);
  os.sleep_ns(1'000'000'000);
  EXPECT_EQ(os.now_ns(), 1'000'000'120U);
}

SC_TEST(DrivenOs, AWaitWithALimitEndsThereInSimulatedTime) {
  SimDriver driver;
  DrivenOs os(driver, 20);
  const auto mutex = os.make_mutex();
  const auto queue = os.make_wait_queue();
  const std::lock_guard guard(*mutex);
  EXPECT_FALSE(queue->wait_for(*mutex, 1000));
  EXPECT_EQ(os.now_ns(), 1000U);
}

SC_TEST(DrivenOs, AWakeWhileTheWaiterDrivesIsSeen) {
  SimDriver driver;
  DrivenOs os(driver, 20);
  const auto mutex = os.make_mutex();
  const auto queue = os.make_wait_queue();
  bool told = false;
  std::thread waker([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    const std::lock_guard guard(*mutex);
    told = true;
    queue->wake_all();
  });
  {
    std::unique_lock guard(*mutex);
    while (!told) EXPECT_TRUE(queue->wait_for(*mutex, 10'000'000'000'000));
  }
  waker.join();
}

SC_TEST(DrivenOs, ThreadsBlockSignalsOfTheProgram) {
  SimDriver driver;
  sigset_t inside, before, after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  {
    DrivenOs os(driver, 20);
    os.start_thread("t", [&] { pthread_sigmask(SIG_SETMASK, nullptr, &inside); });
  }
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  EXPECT_EQ(sigismember(&inside, SIGUSR1), 1);
  EXPECT_EQ(sigismember(&inside, SIGSEGV), 1);
  EXPECT_EQ(sigismember(&before, SIGUSR1), sigismember(&after, SIGUSR1));
}

SC_TEST(DrivenOs, InterruptsTakeTheirLatencyAndWiresFireWhileHigh) {
  SimDriver driver;
  DrivenOs os(driver, 20);
  ThreadedInterrupts interrupts(os, 1, std::nullopt, 1000);
  std::atomic<int> runs{0};
  std::atomic<std::uint64_t> at{0};
  interrupts.set_handler(0, [&] {
    at = os.now_ns();
    if (runs.fetch_add(1) == 1) interrupts.set_level(0, false);
  });
  interrupts.set_level(0, true);
  for (int i = 0; i < 2000 && runs.load() < 2; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(runs.load(), 2);
  EXPECT_EQ(at.load(), 2000U);
}

}  // namespace
}  // namespace iommusim::hal
