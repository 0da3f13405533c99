// SPDX-License-Identifier: Apache-2.0
// The fault queue (riscv_driver.md 8): drains records in the interrupt thread, keeps the latest of them, tells a
// listener, logs some. The pending bit is cleared before draining, so a record that arrives in between raises it again.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "drivers/riscv/hardware_queue.h"
#include "hal/rate_limit.h"

namespace iommusim::drivers::riscv {

/// A fault record (IOMMU 3.2), decoded.
struct FaultRecord {
  std::uint32_t cause = 0;
  std::uint32_t device_id = 0;
  std::uint32_t process_id = 0;
  bool process_valid = false;
  bool supervisor = false;
  std::uint32_t transaction = 0;  ///< TTYP
  std::uint64_t iotval = 0;
  std::uint64_t iotval2 = 0;
};

std::string to_string(const FaultRecord& record);
/// The record as hardware writes it.
void encode(const FaultRecord& record, std::uint64_t (&words)[4]);
/// A fault that the first stage or its process directory explains: what a guest whose stage it is can do about.
bool is_of_first_stage(std::uint32_t cause);

class FaultQueue {
 public:
  static constexpr std::size_t kKept = 4096;
  using Listener = std::function<void(const FaultRecord&)>;

  explicit FaultQueue(const Ports& ports);

  int enable(unsigned log2_entries);
  void disable();
  void handle_interrupt();

  /// Called for each record, in the interrupt thread; an empty one disconnects. Not while an interrupt may run.
  void set_listener(Listener listener) { listener_ = std::move(listener); }
  /// As set_listener(), beside it.
  void set_guest_listener(Listener listener) { guest_listener_ = std::move(listener); }
  /// The records since the last call, oldest first; at most the latest kKept.
  std::vector<FaultRecord> take_records();
  std::uint64_t records() const;    ///< all that were drained
  std::uint64_t overflows() const;  ///< times that records were lost (queue full)

 private:
  void drain();
  void accept(const FaultRecord& record);

  const Ports& ports_;
  HardwareQueue queue_;
  Listener listener_, guest_listener_;
  std::uint64_t head_ = 0;  // running number of the next record; of the interrupt thread alone
  hal::RateLimit limit_;
  std::unique_ptr<hal::Mutex> lock_;  // guards what follows
  std::deque<FaultRecord> kept_;
  std::uint64_t records_ = 0;
  std::uint64_t overflows_ = 0;
};

}  // namespace iommusim::drivers::riscv
