// SPDX-License-Identifier: Apache-2.0
// Batches of events between one thread that fills them and one that empties them. There is a fixed number: who finds
// none waits for the other. The lock is taken once a batch.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <vector>

#include "record/event.h"

namespace iommusim::record {

using Batch = std::vector<Event>;

class BatchQueue {
 public:
  BatchQueue(std::size_t batches, std::size_t events) : free_(batches) {
    for (Batch& batch : free_) batch.reserve(events);
  }

  /// An empty batch, as soon as there is one. The filling thread.
  Batch take_empty() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return !free_.empty(); });
    Batch batch = std::move(free_.back());
    free_.pop_back();
    return batch;
  }
  void put_full(Batch batch) {
    const std::lock_guard<std::mutex> lock(mutex_);
    full_.push_back(std::move(batch));
    changed_.notify_all();
  }
  /// Nothing more will come.
  void end() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

  /// The oldest full batch; false: there is none and none will come. The emptying thread.
  bool take_full(Batch& batch) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return !full_.empty() || ended_; });
    if (full_.empty()) return false;
    batch = std::move(full_.front());
    full_.pop_front();
    return true;
  }
  void put_empty(Batch batch) {
    batch.clear();
    const std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back(std::move(batch));
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Batch> free_;
  std::deque<Batch> full_;
  bool ended_ = false;
};

}  // namespace iommusim::record
