// SPDX-License-Identifier: Apache-2.0
// ThreadOs: exclusion, waiting with and without a limit, joining, the log.
#include "hal/thread_os.h"

#include <atomic>
#include <shared_mutex>

namespace iommusim::hal {
namespace {

TEST(ThreadOs, MutexExcludes) {
  int counter = 0;
  {
    ThreadOs os;
    auto shared = std::shared_ptr<Mutex>(os.make_mutex());
    for (int t = 0; t < 3; ++t)
      os.start_thread("adder", [shared, &counter] {
        for (int i = 0; i < 1000; ++i) {
          const std::lock_guard guard(*shared);
          ++counter;
        }
      });
  }  // joins
  EXPECT_EQ(counter, 3000);
}

TEST(ThreadOs, TryLockFailsOnAHeldMutex) {
  ThreadOs os;
  const auto mutex = os.make_mutex();
  mutex->lock();
  bool taken = true;
  std::thread([&] { taken = mutex->try_lock(); }).join();
  EXPECT_FALSE(taken);
  mutex->unlock();
  EXPECT_TRUE(mutex->try_lock());
  mutex->unlock();
}

TEST(ThreadOs, ReadersShareAndAWriterExcludes) {
  ThreadOs os;
  const auto lock = os.make_rwlock();
  const std::shared_lock first(*lock);
  bool second = false;
  bool writer = true;
  std::thread([&] {
    second = lock->try_lock_shared();
    if (second) lock->unlock_shared();
    writer = lock->try_lock();
  }).join();
  EXPECT_TRUE(second);
  EXPECT_FALSE(writer);
}

TEST(ThreadOs, WaitQueueWakesAWaiter) {
  ThreadOs os;
  const auto mutex = os.make_mutex();
  const auto queue = os.make_wait_queue();
  bool ready = false;
  std::thread waker([&] {
    const std::lock_guard guard(*mutex);
    ready = true;
    queue->wake_all();
  });
  {
    const std::unique_lock guard(*mutex);
    while (!ready) queue->wait(*mutex);
  }
  waker.join();
  EXPECT_TRUE(ready);
}

TEST(ThreadOs, WaitForEndsWhenTheTimeIsOver) {
  ThreadOs os;
  const auto mutex = os.make_mutex();
  const auto queue = os.make_wait_queue();
  const std::unique_lock guard(*mutex);
  const std::uint64_t start = os.now_ns();
  while (queue->wait_for(*mutex, 2000000)) {
  }
  EXPECT_GE(os.now_ns() - start, 2000000U);
}

TEST(ThreadOs, LogGoesToTheSink) {
  std::vector<std::string> lines;
  ThreadOs os([&](const std::string& line) { lines.push_back(line); });
  os.log("one");
  os.log("two");
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "two"}));
}

}  // namespace
}  // namespace iommusim::hal
