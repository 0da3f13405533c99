// SPDX-License-Identifier: Apache-2.0
// A DMA engine (device_hw/dma_engine.h): channels that fetch descriptors from rings in memory, copy or fill in chunks,
// and write the outcome of each into its descriptor. Order within a channel: a descriptor begins when the one before
// has its outcome in memory; chunks of one descriptor overlap. Channels share the DMA of the device and know nothing of
// one another. The interrupt of a descriptor comes when its outcome is in memory.
#pragma once

#include <deque>
#include <vector>

#include "device_hw/dma_engine.h"
#include "devices/dma_engine_params.h"
#include "devices/dma_queue.h"
#include "devices/pci_model.h"

namespace iommusim::devices {

class DmaEngine final : public bus::TimedModule, public PciModel, DmaClient, RegisterClient {
 public:
  DmaEngine(const sc_core::sc_module_name& name, const DmaEngineParams& params, stats::Group& parent);

  bus::InitiatorSocket& socket() override { return dma_.socket(); }
  bus::TargetSocket& registers() override { return registers_.socket; }
  base::DeviceId device() const override { return device_; }
  /// One vector for each channel.
  void connect(InterruptSink* sink) override { sink_ = sink; }
  void set_bus_master(bool on) override;
  bool idle() const override { return under_way_ == 0 && dma_.waiting() == 0; }
  void reset() override;

  const DmaEngineStats& statistics() const { return stats_; }
  const DmaMaster& master() const override { return dma_.master(); }

 private:
  using Descriptor = device_hw::dma_engine::Descriptor;
  enum class Step : std::uint8_t { kFetch, kRead, kWrite, kOutcome };
  struct Channel {
    // As software sees it.
    std::uint64_t ring_base = 0;
    std::uint32_t ring_entries = 0, control = 0;
    std::uint32_t head = 0, tail = 0;
    bool broken = false;
    // Inside.
    std::uint32_t next = 0;               ///< the next descriptor to be fetched
    std::deque<Descriptor> fetched{};     ///< and not begun
    bool fetching = false, busy = false;  ///< with `now`
    Descriptor now{};
    std::uint64_t cut = 0;  ///< bytes of it for which chunks were begun
    std::uint32_t chunks = 0, count = 0, outcome = 0;
    std::uint32_t under_way = 0;  ///< operations
    std::uint32_t life = 0;       ///< changes with each enabling: operations of an earlier one are dropped
    base::Picoseconds begin = 0;
  };
  struct Operation {
    Step step{};
    std::uint32_t channel = 0, life = 0, count = 0;
    std::uint64_t offset = 0;  ///< in the descriptor's data
    std::vector<std::uint8_t> data{};
  };
  struct Doorbell {
    base::Picoseconds at;
    std::uint32_t channel, tail;
  };

  std::uint64_t read_register(std::uint32_t offset, unsigned bytes) override;
  void write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value) override;
  std::uint32_t read_channel(const Channel& channel, std::uint32_t offset) const;
  void write_channel(std::uint32_t index, std::uint32_t offset, std::uint32_t value);
  void enable(Channel& channel, std::uint32_t control);
  void completed(const DmaRequest& request, translate::Response response) override;
  void ready() override { dma_.pump(); }
  base::Picoseconds work(base::Picoseconds now) override;

  void serve(std::uint32_t index);
  void fetch(std::uint32_t index);
  void begin(std::uint32_t index);
  void cut_chunks(std::uint32_t index);
  void write_outcome(std::uint32_t index);
  Operation& operation(Step step, std::uint32_t channel, std::uint64_t& cookie);
  void push(bool write, std::uint64_t iova, std::uint64_t cookie);
  void fetched(Channel& channel, const Operation& operation);
  void chunk_ended(std::uint32_t index, std::uint64_t cookie, bool ok);
  void outcome_written(std::uint32_t index, bool ok);
  void stop(Channel& channel);

  DmaEngineParams params_;
  base::DeviceId device_;
  DmaEngineStats stats_;
  DmaQueue dma_;
  RegisterPort registers_;
  InterruptSink* sink_ = nullptr;
  bool bus_master_ = true;
  std::vector<Channel> channels_;
  std::deque<Doorbell> doorbells_;
  std::deque<Operation> operations_;
  std::vector<std::uint64_t> free_operations_;
  std::uint32_t under_way_ = 0;
};

}  // namespace iommusim::devices
