// SPDX-License-Identifier: Apache-2.0
// SimDriver: simulated time passes for whoever spends it, in parallel for threads that spend it at once; hardware with
// work is driven when nobody waits for it; idle time stands still; failures end all waiting.
#include "hal_systemc/sim_driver.h"

#include <chrono>
#include <thread>
#include <vector>

#include "unit/tlm/sc_test.h"

namespace iommusim::hal {
namespace {

constexpr std::uint64_t kNs = 1000;

/// Hardware: once kicked it works for `work_ns`, in steps of 100 ns.
struct Worker : sc_core::sc_module {
  explicit Worker(const sc_core::sc_module_name& name) : sc_module(name) {
    SC_HAS_PROCESS(Worker);
    SC_METHOD(work);
    sensitive << go;
    dont_initialize();
  }
  void work() {
    steps.fetch_add(1);
    if (fails) throw std::runtime_error("broken");
    if (--left > 0) go.notify(100, sc_core::SC_NS);
  }
  void kick(int count) {
    left = count;
    go.notify(100, sc_core::SC_NS);
  }
  sc_core::sc_event go;
  int left = 0;
  bool fails = false;
  std::atomic<int> steps{0};
};

template <class Holds>
bool soon(Holds holds) {
  for (int i = 0; i < 5000; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

SC_TEST(SimDriver, TimePassesForWhoSpendsItAndStandsStillOtherwise) {
  SimDriver driver;
  driver.spend_ps(500 * kNs);
  EXPECT_EQ(driver.now_ps(), 500 * kNs);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(driver.now_ps(), 500 * kNs);
  driver.owe_ps(30 * kNs);
  EXPECT_EQ(driver.now_ps(), 500 * kNs);
  driver.spend_ps(1 * kNs);
  EXPECT_EQ(driver.now_ps(), 531 * kNs);
}

SC_TEST(SimDriver, AnIdleSecondIsOneStep) {
  SimDriver driver;
  driver.spend_ps(1'000'000'000 * kNs);
  EXPECT_EQ(driver.now_ps(), 1'000'000'000 * kNs);
  EXPECT_EQ(driver.steps(), 1U);
}

SC_TEST(SimDriver, ThreadsThatSpendTimeAtOnceShareIt) {
  SimDriver driver;
  driver.spend_ps(1 * kNs);
  constexpr int kThreads = 4;
  std::atomic<int> ready{0};
  std::vector<std::thread> threads;
  {
    const SimDriver::Turn turn(driver);  // all come while time stands still
    for (int i = 0; i < kThreads; ++i)
      threads.emplace_back([&] {
        ready.fetch_add(1);
        driver.spend_ps(1000 * kNs);
      });
    ASSERT_TRUE(soon([&] { return ready.load() == kThreads; }));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(driver.now_ps(), 1001 * kNs);
}

SC_TEST(SimDriver, HardwareWithWorkIsDrivenWhenNobodyWaits) {
  SimDriver driver;
  Worker worker("worker");
  driver.spend_ps(1 * kNs);
  {
    const SimDriver::Turn turn(driver);
    worker.kick(1000);
  }
  EXPECT_TRUE(soon([&] { return worker.steps.load() == 1000; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(driver.now_ps(), 100'001 * kNs) << "idle again: time ends with the last event";
}

SC_TEST(SimDriver, WhoWaitsForTheEndOfWorkDrivesItAtMostToTheLimit) {
  SimDriver driver;
  Worker worker("worker");
  driver.spend_ps(1 * kNs);
  driver.stop_thread();
  {
    const SimDriver::Turn turn(driver);
    worker.kick(100);
  }
  EXPECT_FALSE(driver.run_until_idle(5'000 * kNs));
  EXPECT_TRUE(driver.run_until_idle(1'000'000 * kNs));
  EXPECT_EQ(worker.steps.load(), 100);
}

SC_TEST(SimDriver, APauseIsShortWhileAnotherThreadOfTheSoftwareIsOnItsWay) {
  SimDriver driver;
  driver.spend_ps(1 * kNs);
  const SimDriver::Call call(driver);
  {
    const SimDriver::Call other(driver);  // held up by the host
    for (int i = 0; i < 100; ++i) driver.pause_ps(1'000'000 * kNs);
    EXPECT_LT(driver.now_ps(), 50'000'000 * kNs) << "100 ms were asked for";
    const SimDriver::Sleep sleep(driver);  // it waits: nobody can help
    driver.pause_ps(1'000'000'000 * kNs);
    EXPECT_GE(driver.now_ps(), 1'000'000'000 * kNs);
  }
  const std::uint64_t before = driver.now_ps();
  driver.pause_ps(1'000'000 * kNs);
  EXPECT_EQ(driver.now_ps(), before + 1'000'000 * kNs);
}

SC_TEST(SimDriver, AFailureIsToldOnceAndEndsAllWaiting) {
  int told = 0;
  SimDriverOptions options;
  options.on_failure = [&](const std::exception_ptr&) { ++told; };
  SimDriver driver(options);
  Worker worker("worker");
  driver.spend_ps(1 * kNs);
  driver.stop_thread();
  {
    SimDriver::Turn turn(driver);
    worker.fails = true;
    worker.kick(1);
  }
  driver.spend_ps(1000 * kNs);
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(driver.failed());
  driver.spend_ps(1000 * kNs);
  EXPECT_FALSE(driver.run_until_idle(~0ULL >> 1));
  EXPECT_EQ(told, 1);
}

SC_TEST(SimDriver, ManyThreadsWithLocksOfTheStackMakeProgress) {
  SimDriver driver;
  Worker worker("worker");
  driver.spend_ps(1 * kNs);
  std::mutex lock;  // of the stack: held across waits
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 500; ++n) {
        const std::lock_guard<std::mutex> guard(lock);
        driver.spend_ps(10 * kNs);
        const SimDriver::Turn turn(driver);
        if (worker.left <= 0) worker.kick(10);
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(driver.now_ps(), 4 * 500 * 10 * kNs);
}

}  // namespace
}  // namespace iommusim::hal
