// SPDX-License-Identifier: Apache-2.0
// An NVMe drive (device_hw/nvme.h): an admin queue that creates pairs of I/O queues, commands fetched in batches, PRP
// entries and lists, a medium with some channels, completions with a phase bit, an interrupt for each pair. A
// completion is written when all data of its command was answered. Model: a block of which nothing was written holds a
// pattern of its own number, and what is written is kept only where it differs from that; abort, namespaces and lists
// of more than a page are not there.
#pragma once

#include <map>
#include <memory>
#include <unordered_map>

#include "device_hw/nvme.h"
#include "devices/dma_queue.h"
#include "devices/nvme_params.h"
#include "devices/nvme_stats.h"
#include "devices/pattern.h"
#include "devices/register_port.h"

namespace iommusim::devices {

/// Bytes of an untouched block.
inline void fill_block(std::uint64_t block, std::uint64_t offset, std::uint8_t* data, std::uint64_t bytes) {
  fill_pattern(pattern_key(0x4e564d, 0), block * device_hw::nvme::kBlockBytes + offset, data, bytes);
}

class Nvme final : public bus::TimedModule, DmaClient, RegisterClient {
 public:
  Nvme(const sc_core::sc_module_name& name, const NvmeParams& params, stats::Group& parent);

  bus::InitiatorSocket& socket() { return dma_.socket(); }
  bus::TargetSocket& registers() { return registers_.socket; }
  base::DeviceId device() const { return device_; }
  /// Vectors are those that software gives to completion queues. nullptr: nobody listens.
  void connect(InterruptSink* sink) { sink_ = sink; }

  const NvmeStats& statistics() const { return stats_; }
  const DmaMaster& master() const { return dma_.master(); }
  bool idle() const { return commands_.size() == free_commands_.size() && dma_.waiting() == 0; }
  /// Blocks whose content is not that of an untouched one.
  std::size_t blocks_changed() const { return written_.size(); }

 private:
  using Block = std::vector<std::uint8_t>;
  struct Submission {
    std::uint64_t base = 0;
    std::uint32_t entries = 0;
    std::uint32_t head = 0, tail = 0;
    std::uint16_t completion = 0;
    bool fetching = false;
  };
  struct CompletionQueue {
    std::uint64_t base = 0;
    std::uint32_t entries = 0;
    std::uint32_t head = 0, tail = 0;  ///< head: software's
    bool phase = true;
    bool interrupts = false;
    std::uint16_t vector = 0;
    bool news = false;
    std::deque<std::uint32_t> ended{};  ///< commands whose completion waits for room
    base::Picoseconds next_interrupt = 0;
  };
  enum class Step : std::uint8_t { kFetch, kList, kData, kComplete };
  struct ActiveCommand {
    device_hw::nvme::Command command{};
    std::uint16_t queue = 0;
    std::uint16_t head = 0;  ///< of the submission queue, when it was fetched
    std::uint16_t status = 0;
    std::uint32_t parts = 0;  ///< DMAs under way
    base::Picoseconds begin = 0;
    std::vector<std::uint64_t> pages{};  ///< PRP entries, the first one with its offset
    std::vector<std::uint8_t> data{};
    device_hw::nvme::Completion completion{};
  };
  struct Operation {
    Step step{};
    std::uint16_t queue = 0;
    std::uint32_t count = 0;
    std::uint32_t command = 0;
    std::vector<std::uint8_t> data{};
  };
  struct Doorbell {
    base::Picoseconds at;
    std::uint32_t offset, value;
  };

  std::uint64_t read_register(std::uint32_t offset, unsigned bytes) override;
  void write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value) override;
  void completed(const DmaRequest& request, translate::Response response) override;
  void ready() override { dma_.pump(); }
  base::Picoseconds work(base::Picoseconds now) override;

  void enable(bool on);
  void take_doorbell(const Doorbell& doorbell);
  void fetch(std::uint16_t id, Submission& queue);
  void fetched(const Operation& operation);
  void begin(std::uint32_t slot);
  std::uint16_t administer(const device_hw::nvme::Command& command);
  void begin_io(std::uint32_t slot);
  void find_pages(std::uint32_t slot);
  void pages_known(std::uint32_t slot);
  void move_data(std::uint32_t slot, bool write);
  void data_moved(std::uint32_t slot);
  void use_medium(std::uint32_t slot, base::Picoseconds now);
  base::Picoseconds serve_medium(base::Picoseconds now);
  void load(ActiveCommand& command);
  void store(const ActiveCommand& command);
  void end(std::uint32_t slot, std::uint16_t status);
  void write_completions(CompletionQueue& queue, std::uint16_t id);
  void finish(std::uint32_t slot);
  base::Picoseconds raise(CompletionQueue& queue, base::Picoseconds now);
  std::uint64_t operation(Step step, std::uint32_t command, Operation*& out);

  NvmeParams params_;
  base::DeviceId device_;
  NvmeStats stats_;
  DmaQueue dma_;
  RegisterPort registers_;
  InterruptSink* sink_ = nullptr;

  std::uint32_t configuration_ = 0, status_ = 0, admin_attributes_ = 0;
  std::uint64_t admin_submission_ = 0, admin_completion_ = 0;
  std::map<std::uint16_t, Submission> submissions_;
  std::map<std::uint16_t, CompletionQueue> completions_;
  std::deque<Doorbell> doorbells_;
  std::deque<ActiveCommand> commands_;
  std::vector<std::uint32_t> free_commands_;
  std::deque<Operation> operations_;
  std::vector<std::uint64_t> free_operations_;
  std::deque<std::uint32_t> to_medium_;                        ///< wait for a channel
  std::multimap<base::Picoseconds, std::uint32_t> in_medium_;  ///< by their end
  base::Picoseconds medium_free_ = 0;                          ///< of its bandwidth
  std::unordered_map<std::uint64_t, Block> written_;           ///< blocks that differ from their pattern
};

}  // namespace iommusim::devices
