// SPDX-License-Identifier: Apache-2.0
// Unmaps that wait for an invalidation of the whole domain: a ring for each processor, emptied when it is full or when
// its oldest entry has waited long enough, by one flush for all rings. Flushes are numbered when they begin; an entry
// notes the number of the last one that had begun, and goes when a later one has ended, whoever made it. So nothing
// is released by a flush that began before its unmap.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <vector>

#include "dma/iova_allocator.h"
#include "domain/domain.h"

namespace iommusim::dma {

struct FlushEntry {
  IovaRange range;
  domain::Gather gather;         ///< tables to free
  std::uint64_t last_begun = 0;  ///< set by the queue
};

class FlushSink {
 public:
  virtual ~FlushSink() = default;
  /// Invalidates the domain, waits. False: the hardware does not answer. Called in parallel.
  virtual bool flush_domain() = 0;
  /// The hardware has forgotten this: its IOVAs and tables are free.
  virtual void release(FlushEntry& entry, unsigned cpu) = 0;
};

class FlushQueue {
 public:
  FlushQueue(hal::Os& os, const Options& options, Statistics& statistics, FlushSink& sink);

  /// Ends the thread; what waits is flushed. Nothing is added any more.
  void stop();
  /// After the leaves were cleared. Waits for a flush when the ring is full.
  void add(FlushEntry entry, unsigned cpu);
  /// All that waits when it is called is released when it returns (unless the hardware does not answer).
  void flush(Count& cause);

 private:
  struct Ring {
    std::unique_ptr<hal::Mutex> lock;  // guards entries; held while their processor waits for a flush
    std::deque<FlushEntry> entries;
  };
  bool flush_domain(Count& cause);
  void release_locked(Ring& ring, unsigned cpu);
  bool anything_waits();
  void arm();
  void run_timer();

  hal::Os& os_;
  const std::uint32_t capacity_;
  const std::uint64_t timeout_ns_;
  Statistics& statistics_;
  FlushSink& sink_;
  std::vector<Ring> rings_;
  std::atomic<std::uint64_t> begun_{0};
  std::atomic<std::uint64_t> ended_{0};  // the highest number of a flush that has ended well
  std::atomic<bool> armed_{false};
  std::unique_ptr<hal::Mutex> timer_lock_;  // guards what follows; innermost
  std::unique_ptr<hal::WaitQueue> timer_changed_;
  std::uint64_t deadline_ns_ = 0;  // valid while armed_
  bool stopping_ = false;
  bool stopped_ = false;
};

}  // namespace iommusim::dma
