// SPDX-License-Identifier: Apache-2.0
// FlushQueue: when it flushes, and that nothing is released by a flush that began too early.
#include "dma/flush_queue.h"

#include <gtest/gtest.h>

#include "hal/thread_os.h"

namespace iommusim::dma {
namespace {

class Sink final : public FlushSink {
 public:
  bool flush_domain() override {
    ++flushes;
    if (during) during();
    return good;
  }
  void release(FlushEntry& entry, unsigned cpu) override { released.emplace_back(entry.range.first, cpu); }

  std::atomic<unsigned> flushes{0};
  bool good = true;
  std::function<void()> during;
  std::vector<std::pair<std::uint64_t, unsigned>> released;
};

struct FlushQueueTest : ::testing::Test {
  FlushQueue& start(std::uint32_t entries, std::uint64_t timeout_ns, std::uint32_t cpus = 1) {
    Options options;
    options.queue_entries = entries;
    options.queue_timeout_ns = timeout_ns;
    options.cpus = cpus;
    queue = std::make_unique<FlushQueue>(os, options, statistics, sink);
    return *queue;
  }
  void add(std::uint64_t first, unsigned cpu = 0) {
    FlushEntry entry;
    entry.range = {first, 1};
    queue->add(std::move(entry), cpu);
  }
  void TearDown() override {
    sink.during = {};
    if (queue) queue->stop();
  }
  static constexpr std::uint64_t kHour = 3'600'000'000'000;
  hal::ThreadOs os;
  Statistics statistics;
  Sink sink;
  std::unique_ptr<FlushQueue> queue;
};

TEST_F(FlushQueueTest, AFullOneIsFlushedAtOnce_queue_entries) {
  start(4, kHour);
  for (std::uint64_t first = 1; first <= 4; ++first) add(first);
  EXPECT_EQ(sink.flushes, 0U);
  EXPECT_EQ(statistics.waiting.value(), 4U);
  add(5);
  EXPECT_EQ(sink.flushes, 1U);
  EXPECT_EQ(sink.released.size(), 4U);
  EXPECT_EQ(statistics.flushes_full.value(), 1U);
  EXPECT_EQ(statistics.waiting.value(), 1U);
}

TEST_F(FlushQueueTest, WaitsNoLongerThanTheTimeout_queue_timeout_ns) {
  start(256, 20'000'000);
  const std::uint64_t start_ns = os.now_ns();
  add(1);
  while (statistics.waiting.value() != 0 && os.now_ns() - start_ns < 5'000'000'000) os.sleep_ns(100'000);
  EXPECT_GE(os.now_ns() - start_ns, 20'000'000U);
  EXPECT_EQ(statistics.flushes_timeout.value(), 1U);
  add(2);  // arms it again
  while (statistics.waiting.value() != 0 && os.now_ns() - start_ns < 5'000'000'000) os.sleep_ns(100'000);
  EXPECT_EQ(statistics.flushes_timeout.value(), 2U);
  EXPECT_EQ(sink.flushes, 2U);
}

TEST_F(FlushQueueTest, OneFlushServesAllProcessors_cpus) {
  start(2, kHour, 3);
  add(1, 1);
  add(2, 2);
  queue->flush(statistics.flushes_asked);
  EXPECT_EQ(sink.flushes, 1U);
  EXPECT_EQ(sink.released, (std::vector<std::pair<std::uint64_t, unsigned>>{{1, 1}, {2, 2}}));
}

TEST_F(FlushQueueTest, WhatComesDuringAFlushWaitsForTheNext) {
  start(8, kHour, 2);
  add(1);
  sink.during = [this] {
    if (sink.flushes == 1) add(2, 1);
  };
  queue->flush(statistics.flushes_asked);
  EXPECT_EQ(sink.released, (std::vector<std::pair<std::uint64_t, unsigned>>{{1, 0}}));
  queue->flush(statistics.flushes_asked);
  EXPECT_EQ(sink.released.size(), 2U);
}

TEST_F(FlushQueueTest, AFlushThatEndsFirstServesWhatWaitedBeforeIt) {
  start(8, kHour, 2);
  add(1);
  sink.during = [this] {
    if (sink.flushes != 1) return;
    add(2, 1);
    queue->flush(statistics.flushes_asked);  // begins and ends within the first one
    EXPECT_EQ(sink.released.size(), 2U);
  };
  queue->flush(statistics.flushes_asked);
  EXPECT_EQ(sink.flushes, 2U);
}

TEST_F(FlushQueueTest, NothingIsReleasedWhenTheHardwareDoesNotAnswer) {
  start(2, kHour);
  sink.good = false;
  for (std::uint64_t first = 1; first <= 5; ++first) add(first);
  EXPECT_EQ(sink.flushes, 2U);
  sink.good = true;
  queue->flush(statistics.flushes_asked);
  EXPECT_EQ(sink.released.size(), 1U);        // 1 to 4 are lost
  EXPECT_EQ(statistics.waiting.value(), 4U);  // for ever
}

TEST_F(FlushQueueTest, ItsEndFlushes) {
  start(8, kHour);
  add(1);
  queue->stop();
  EXPECT_EQ(sink.released.size(), 1U);
  EXPECT_EQ(statistics.flushes_asked.value(), 1U);
  queue.reset();
}

}  // namespace
}  // namespace iommusim::dma
