// SPDX-License-Identifier: Apache-2.0
// A pair of I/O queues of the NVMe drive and the thread that serves it: it keeps commands of its client under way, each
// with a buffer, and hands back what they brought. Queues share nothing but the ports.
#pragma once

#include <array>
#include <memory>

#include "drivers/rings/buffer_pool.h"
#include "drivers/rings/completion_wait.h"
#include "drivers/rings/nvme_controller.h"

namespace iommusim::drivers::rings {

/// A read or a write of blocks.
struct NvmeIo {
  bool write = false;
  std::uint64_t block = 0;
  std::uint32_t blocks = 1;
  std::uint64_t number = 0;  ///< the client's own
};

/// Who asks for I/O. Called in the thread of the queue.
class NvmeClient {
 public:
  virtual ~NvmeClient() = default;
  /// The next command; false: there is none.
  virtual bool next(unsigned queue, NvmeIo& out) = 0;
  /// The data of a write.
  virtual void fill(unsigned queue, const NvmeIo& io, std::uint8_t* data) = 0;
  /// `data`: what a read brought, of a command that ended well (status 0). `latency_ns` since its submission.
  virtual void done(unsigned queue, const NvmeIo& io, int status, const std::uint8_t* data,
                    std::uint64_t latency_ns) = 0;
};

struct NvmeQueueOptions {
  unsigned queue = 0;  ///< from 0 on; the pair's id is one more
  std::uint32_t entries = 256;
  std::uint32_t depth = 32;  ///< commands under way, less than entries
  BufferOptions buffers{};   ///< one holds the longest command; count is at least depth
  bool polling = false;
  std::uint32_t batch = 16;      ///< commands that share a doorbell
  std::uint64_t command_ns = 0;  ///< processor time of a command
};

class NvmeQueue {
 public:
  NvmeQueue(hal::Os& os, hal::Mmio& mmio, BufferPort& port, NvmeController& controller, std::uint64_t offset,
            const NvmeQueueOptions& options, NvmeClient& client);

  static std::uint64_t memory(const NvmeQueueOptions& options);
  /// 0 or an errno.
  int open();
  /// Returns when all commands of the client have ended, or the drive has stopped (false).
  bool run();
  void close();
  void interrupt() { wait_.interrupt(); }

  const CompletionWait& waits() const { return wait_; }
  const BufferPool& buffers() const { return buffers_; }
  std::array<const BufferPool*, 1> pools() const { return {&buffers_}; }

 private:
  struct Slot {
    NvmeIo io{};
    std::uint32_t buffer = 0;
    std::uint64_t since_ns = 0;
  };
  static std::uint64_t queues_bytes(const NvmeQueueOptions& options);
  bool submit();
  void name_pages(std::uint32_t slot, device_hw::nvme::Command& command);
  bool reap();
  std::uint16_t id() const { return static_cast<std::uint16_t>(options_.queue + 1); }

  hal::Os& os_;
  hal::Mmio& mmio_;
  BufferPort& port_;
  NvmeController& controller_;
  std::uint64_t offset_;  ///< submission queue, completion queue, a page for the list of each slot, buffers
  NvmeQueueOptions options_;
  NvmeClient& client_;
  CompletionWait wait_;
  BufferPool buffers_;
  std::vector<Slot> slots_;
  std::vector<std::uint16_t> free_;
  std::vector<std::uint8_t> data_;
  std::uint64_t iova_ = 0;
  std::uint32_t tail_ = 0, head_ = 0;
  bool phase_ = true, exhausted_ = false;
};

}  // namespace iommusim::drivers::rings
