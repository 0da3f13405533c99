// SPDX-License-Identifier: Apache-2.0
// Carries interrupts of devices from the simulation to a program's event descriptors, in a thread of its own: who
// raises one holds the kernel's lock of the simulation, who delivers it may take any lock of the VFIO layer, and the
// two never meet in one thread. In the order in which they were raised; none is lost.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "hal/os.h"

namespace iommusim::platform {

class InterruptCourier {
 public:
  /// `latency_ns`: simulated time from raise() to the delivery.
  InterruptCourier(hal::Os& os, std::uint64_t latency_ns)
      : os_(os), latency_ns_(latency_ns), lock_(os.make_mutex()), changed_(os.make_wait_queue()) {}
  ~InterruptCourier() { stop(); }

  /// From any thread, the simulation's too; takes a lock for a few instructions.
  void post(std::function<void()> deliver);
  /// Delivers what was posted, then ends the thread. What comes later vanishes.
  void stop();

 private:
  void serve();

  hal::Os& os_;
  const std::uint64_t latency_ns_;
  const std::unique_ptr<hal::Mutex> lock_;  ///< a leaf; guards what follows
  const std::unique_ptr<hal::WaitQueue> changed_;
  std::deque<std::function<void()>> posted_;
  bool started_ = false, end_ = false, ended_ = false;
};

}  // namespace iommusim::platform
