// SPDX-License-Identifier: Apache-2.0
// SystemcOs: time is exact, locks are handed over in order, wakes are not lost, failures are kept.
#include "hal_systemc/systemc_os.h"

#include <mutex>
#include <shared_mutex>
#include <vector>

#include "unit/tlm/sc_test.h"

namespace iommusim::hal {
namespace {

SC_TEST(SystemcOs, TimePassesExactlyAsAsked) {
  SystemcOs os(SystemcOsParams{25, 65536, {}});
  std::vector<std::uint64_t> at;
  os.start_thread("worker/1", [&] {
    at.push_back(os.now_ns());
    os.sleep_ns(1000);
    at.push_back(os.now_ns());
    os.relax();
    at.push_back(os.now_ns());
    os.spend_ns(0);
    os.spend_ns(7);
    at.push_back(os.now_ns());
  });
  sc_test::run_out();
  EXPECT_EQ(at, (std::vector<std::uint64_t>{0, 1000, 1025, 1032}));
}

SC_TEST(SystemcOs, AMutexIsHandedOverInTheOrderOfAsking) {
  SystemcOs os;
  const auto mutex = os.make_mutex();
  std::vector<int> order;
  for (int t = 0; t < 3; ++t)
    os.start_thread("asker", [&, t] {
      os.sleep_ns(static_cast<std::uint64_t>(t) + 1);
      for (int i = 0; i < 3; ++i) {  // asks again at once: must not overtake those who wait
        const std::lock_guard guard(*mutex);
        order.push_back(t);
        os.sleep_ns(100);
      }
    });
  sc_test::run_out();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 0, 1, 2, 0, 1, 2}));
}

SC_TEST(SystemcOs, AMutexIsFreeOutsideOfTheSimulation) {
  SystemcOs os;
  const auto mutex = os.make_mutex();
  mutex->lock();
  EXPECT_FALSE(mutex->try_lock());
  mutex->unlock();
  EXPECT_TRUE(mutex->try_lock());
  mutex->unlock();
}

SC_TEST(SystemcOs, AWriterIsNotStarvedByReaders) {
  SystemcOs os;
  const auto lock = os.make_rwlock();
  std::uint64_t written = 0;
  for (int t = 0; t < 2; ++t)
    os.start_thread("reader", [&, t] {
      os.sleep_ns(static_cast<std::uint64_t>(t) * 50);
      for (int i = 0; i < 20; ++i) {
        const std::shared_lock guard(*lock);
        os.sleep_ns(100);
      }
    });
  os.start_thread("writer", [&] {
    os.sleep_ns(75);
    const std::unique_lock guard(*lock);
    written = os.now_ns();
  });
  sc_test::run_out();
  EXPECT_EQ(written, 150U);  // when the second reader of that moment leaves
}

SC_TEST(SystemcOs, ReadersShare) {
  SystemcOs os;
  const auto lock = os.make_rwlock();
  std::vector<std::uint64_t> done;
  for (int t = 0; t < 2; ++t)
    os.start_thread("reader", [&] {
      const std::shared_lock guard(*lock);
      os.sleep_ns(100);
      done.push_back(os.now_ns());
    });
  sc_test::run_out();
  EXPECT_EQ(done, (std::vector<std::uint64_t>{100, 100}));
}

SC_TEST(SystemcOs, AWaiterIsWokenOrItsTimeEnds) {
  SystemcOs os;
  const auto mutex = os.make_mutex();
  const auto queue = os.make_wait_queue();
  std::vector<std::pair<bool, std::uint64_t>> results;
  os.start_thread("waiter", [&] {
    const std::lock_guard guard(*mutex);
    for (int i = 0; i < 2; ++i) {
      const bool woken = queue->wait_for(*mutex, 1000);
      results.emplace_back(woken, os.now_ns());
    }
  });
  os.start_thread("waker", [&] {
    os.sleep_ns(400);
    const std::lock_guard guard(*mutex);
    queue->wake_all();
  });
  sc_test::run_out();
  EXPECT_EQ(results, (std::vector<std::pair<bool, std::uint64_t>>{{true, 400}, {false, 1400}}));
}

SC_TEST(SystemcOs, AWakeBeforeTheWaitIsNotTakenForOne) {
  SystemcOs os;
  const auto mutex = os.make_mutex();
  const auto queue = os.make_wait_queue();
  bool woken = true;
  std::uint64_t at = 0;
  os.start_thread("both", [&] {
    const std::lock_guard guard(*mutex);
    queue->wake_all();
    woken = queue->wait_for(*mutex, 500);
    at = os.now_ns();
  });
  sc_test::run_out();
  EXPECT_FALSE(woken);
  EXPECT_EQ(at, 500U);
}

SC_TEST(SystemcOs, AFailureOfAThreadIsHandedOver) {
  SystemcOsParams params;
  std::exception_ptr failure;
  params.on_failure = [&](std::exception_ptr error) { failure = std::move(error); };
  SystemcOs os(params);
  os.start_thread("faulty", [] { throw std::runtime_error("lost its way"); });
  sc_test::run_out();
  EXPECT_THROW(std::rethrow_exception(failure), std::runtime_error);
}

}  // namespace
}  // namespace iommusim::hal
