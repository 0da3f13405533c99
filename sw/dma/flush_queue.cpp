// SPDX-License-Identifier: Apache-2.0
#include "dma/flush_queue.h"

#include <mutex>

namespace iommusim::dma {

FlushQueue::FlushQueue(hal::Os& os, const Options& options, Statistics& statistics, FlushSink& sink)
    : os_(os),
      capacity_(options.queue_entries),
      timeout_ns_(options.queue_timeout_ns),
      statistics_(statistics),
      sink_(sink),
      rings_(options.cpus),
      timer_lock_(os.make_mutex()),
      timer_changed_(os.make_wait_queue()) {
  for (Ring& ring : rings_) ring.lock = os.make_mutex();
  os.start_thread("dma flush", [this] { run_timer(); });
}

void FlushQueue::stop() {
  {
    const std::lock_guard guard(*timer_lock_);
    stopping_ = true;
    timer_changed_->wake_all();
    while (!stopped_) timer_changed_->wait(*timer_lock_);
  }
  if (anything_waits()) flush(statistics_.flushes_asked);
}

void FlushQueue::add(FlushEntry entry, unsigned cpu) {
  Ring& ring = rings_[cpu];
  {
    const std::lock_guard guard(*ring.lock);
    release_locked(ring, cpu);
    if (ring.entries.size() >= capacity_) {
      // Without an answer they wait for ever: better lost than used for something else.
      if (flush_domain(statistics_.flushes_full))
        release_locked(ring, cpu);
      else
        ring.entries.clear();
    }
    entry.last_begun = begun_.load();
    ring.entries.push_back(std::move(entry));
    statistics_.waiting.add();
  }
  if (!armed_.exchange(true)) arm();
}

void FlushQueue::flush(Count& cause) {
  const bool good = flush_domain(cause);
  for (unsigned cpu = 0; cpu < rings_.size(); ++cpu) {
    const std::lock_guard guard(*rings_[cpu].lock);
    if (good) release_locked(rings_[cpu], cpu);
  }
}

bool FlushQueue::flush_domain(Count& cause) {
  const std::uint64_t number = begun_.fetch_add(1) + 1;
  cause.add();
  if (!sink_.flush_domain()) return false;
  std::uint64_t ended = ended_.load();
  while (ended < number && !ended_.compare_exchange_weak(ended, number)) {
  }
  return true;
}

void FlushQueue::release_locked(Ring& ring, unsigned cpu) {
  const std::uint64_t ended = ended_.load();
  while (!ring.entries.empty() && ring.entries.front().last_begun < ended) {
    sink_.release(ring.entries.front(), cpu);
    ring.entries.pop_front();
    statistics_.waiting.sub();
  }
}

bool FlushQueue::anything_waits() {
  bool waits = false;
  for (unsigned cpu = 0; cpu < rings_.size(); ++cpu) {
    const std::lock_guard guard(*rings_[cpu].lock);
    release_locked(rings_[cpu], cpu);
    waits = waits || !rings_[cpu].entries.empty();
  }
  return waits;
}

void FlushQueue::arm() {
  const std::lock_guard guard(*timer_lock_);
  deadline_ns_ = os_.now_ns() + timeout_ns_;
  timer_changed_->wake_all();
}

void FlushQueue::run_timer() {
  std::unique_lock<hal::Mutex> guard(*timer_lock_);
  while (!stopping_) {
    const std::uint64_t now = os_.now_ns();
    if (deadline_ns_ == 0) {
      timer_changed_->wait(*timer_lock_);
    } else if (now < deadline_ns_) {
      (void)timer_changed_->wait_for(*timer_lock_, deadline_ns_ - now);
    } else {
      deadline_ns_ = 0;
      guard.unlock();
      armed_ = false;  // before the flush: an entry that comes too late for it arms the timer again
      if (anything_waits()) flush(statistics_.flushes_timeout);
      guard.lock();
    }
  }
  stopped_ = true;
  timer_changed_->wake_all();
}

}  // namespace iommusim::dma
