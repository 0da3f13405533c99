// SPDX-License-Identifier: Apache-2.0
// A queue of the NIC and the thread that serves it: buffers are posted for packets to come, packets that came are
// handed to the client, packets of the client are sent. One thread a queue; queues share nothing but the ports.
#pragma once

#include <array>
#include <memory>

#include "drivers/rings/completion_wait.h"
#include "drivers/rings/nic_ring.h"

namespace iommusim::drivers::rings {

/// Who uses the packets. Called in the thread of the queue.
class NicClient {
 public:
  virtual ~NicClient() = default;
  /// A packet that came; `ok` false: its data did not arrive whole.
  virtual void received(unsigned queue, const std::uint8_t* data, std::size_t bytes, bool ok) = 0;
  /// Fills the next packet to be sent, of at most `room` bytes; its length, 0: there is none.
  virtual std::uint32_t next_to_send(unsigned queue, std::uint8_t* data, std::uint32_t room) = 0;
  virtual void sent(unsigned queue, bool ok) = 0;
  /// Nothing more will come or is to be sent.
  virtual bool finished(unsigned queue) = 0;
};

struct NicQueueOptions {
  unsigned queue = 0;
  std::uint32_t entries = 256;
  BufferOptions buffers{};
  bool receive = true, transmit = true;
  bool polling = false;
  std::uint32_t batch = 16;     ///< buffers that are posted, or packets that are sent, with one doorbell
  std::uint64_t packet_ns = 0;  ///< processor time of a packet
};

class NicQueue {
 public:
  NicQueue(hal::Os& os, hal::Mmio& mmio, BufferPort& port, std::uint64_t offset, const NicQueueOptions& options,
           NicClient& client);

  /// Of the port's memory, from `offset` on.
  static std::uint64_t memory(const NicQueueOptions& options);
  /// 0 or an errno.
  int open();
  /// Returns when the client has finished or the device has stopped (false).
  bool run();
  void close();
  /// From the handler of the queue's interrupt.
  void interrupt() { wait_.interrupt(); }

  const CompletionWait& waits() const { return wait_; }
  const BufferPool& receive_buffers() const { return in_; }
  const BufferPool& transmit_buffers() const { return out_; }
  std::array<const BufferPool*, 2> pools() const { return {&in_, &out_}; }

 private:
  std::uint32_t registers() const;
  bool post_buffers(bool all);
  bool receive();
  bool send();
  bool reap_sent();

  hal::Os& os_;
  hal::Mmio& mmio_;
  NicQueueOptions options_;
  NicClient& client_;
  CompletionWait wait_;
  NicRing receive_ring_, transmit_ring_;
  BufferPool in_, out_;
  std::vector<std::uint8_t> packet_;  ///< being put together
  bool packet_ok_ = true;
};

}  // namespace iommusim::drivers::rings
