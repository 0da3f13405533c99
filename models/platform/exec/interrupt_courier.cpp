// SPDX-License-Identifier: Apache-2.0
#include "platform/exec/interrupt_courier.h"

#include <mutex>

namespace iommusim::platform {

void InterruptCourier::post(std::function<void()> deliver) {
  const std::lock_guard guard(*lock_);
  if (end_) return;
  posted_.push_back(std::move(deliver));
  if (!started_) {
    started_ = true;
    os_.start_thread("interrupts", [this] { serve(); });
  }
  changed_->wake_all();
}

void InterruptCourier::serve() {
  std::unique_lock guard(*lock_);
  for (;;) {
    while (!end_ && posted_.empty()) changed_->wait(*lock_);
    if (posted_.empty()) break;
    const std::function<void()> deliver = std::move(posted_.front());
    posted_.pop_front();
    guard.unlock();
    os_.spend_ns(latency_ns_);
    deliver();
    guard.lock();
  }
  ended_ = true;
  changed_->wake_all();
}

void InterruptCourier::stop() {
  std::unique_lock guard(*lock_);
  end_ = true;
  changed_->wake_all();
  while (started_ && !ended_) changed_->wait(*lock_);
}

}  // namespace iommusim::platform
