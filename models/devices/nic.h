// SPDX-License-Identifier: Apache-2.0
// A network card (device_hw/nic.h): fetches descriptors in batches, writes packets that arrive to memory, reads those
// to be sent, writes descriptors back, raises interrupts with moderation. A descriptor is written back when all data of
// its packet was answered, so whoever sees its status sees the data. The wire is part of the model: packets that arrive
// are made here, packets that are sent are checked here (devices/wire.h). With a rate, what finds no room is dropped.
#pragma once

#include <memory>

#include "devices/dma_queue.h"
#include "devices/nic_params.h"
#include "devices/nic_ring.h"
#include "devices/nic_stats.h"
#include "devices/register_port.h"
#include "devices/wire.h"

namespace iommusim::devices {

class Nic final : public bus::TimedModule, DmaClient, RegisterClient {
 public:
  Nic(const sc_core::sc_module_name& name, const NicParams& params, stats::Group& parent);

  bus::InitiatorSocket& socket() { return dma_.socket(); }
  bus::TargetSocket& registers() { return registers_.socket; }
  base::DeviceId device() const { return device_; }
  /// One vector for each queue. nullptr: nobody listens. Must outlive the simulation.
  void connect(InterruptSink* sink) { sink_ = sink; }

  const NicStats& statistics() const { return stats_; }
  const DmaMaster& master() const { return dma_.master(); }
  /// Packets sent, by number and data; those of all queues.
  const Digest& digest() const { return digest_; }
  /// Packets of a queue that were dropped.
  std::uint64_t lost(std::uint32_t queue) const { return queues_[queue]->lost; }
  bool idle() const;

 private:
  enum class Step : std::uint8_t { kFetch, kData, kWriteBack };
  /// A DMA under way.
  struct Operation {
    Step step{};
    NicRing* ring = nullptr;
    std::uint64_t packet = 0;        ///< id
    std::uint32_t piece = 0;         ///< of the packet
    std::uint32_t count = 0;         ///< descriptors
    std::vector<std::uint8_t> data;  ///< descriptors
  };
  struct Doorbell {
    base::Picoseconds at;
    NicRing* ring;
    std::uint32_t tail;
  };
  struct Arrival {
    std::uint64_t number;
    base::Picoseconds at;
  };
  struct Queue {
    NicRing receive{}, transmit{};
    std::deque<Arrival> arrived{};  ///< and wait for descriptors
    std::uint64_t to_come = 0;      ///< packets that have not arrived
    std::uint64_t number = 0;       ///< of the last one that did
    std::uint64_t lost = 0;
    bool interrupt_enabled = false;
    bool news = false;  ///< something was written back since the last interrupt
    base::Picoseconds next_interrupt = 0;
  };

  std::uint64_t read_register(std::uint32_t offset, unsigned bytes) override;
  void write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value) override;
  void write_ring(NicRing& ring, std::uint32_t offset, std::uint64_t value);
  void completed(const DmaRequest& request, translate::Response response) override;
  void ready() override { dma_.pump(); }
  void produce(const DmaRequest& request, std::uint64_t offset, std::uint8_t* data, std::uint32_t bytes) override;
  base::Picoseconds work(base::Picoseconds now) override;

  Operation& begin(Step step, NicRing& ring, std::uint64_t& cookie);
  void fetch(NicRing& ring, bool more);
  void fetched(Operation& operation, bool ok);
  void stop(NicRing& ring);
  void take_doorbells(base::Picoseconds now);
  base::Picoseconds take_arrivals(base::Picoseconds now);
  void arrive(Queue& queue, base::Picoseconds now);
  void begin_receiving(Queue& queue, base::Picoseconds now);
  void begin_sending(NicRing& ring, base::Picoseconds now);
  void move_data(NicRing& ring, std::uint64_t id);
  base::Picoseconds write_back(NicRing& ring, base::Picoseconds now);
  void write_descriptors(NicRing& ring, std::uint64_t id);
  void send_to_wire(NicRing& ring, const NicPacket& packet);
  void ended(NicRing& ring, NicPacket& packet, base::Picoseconds now);
  base::Picoseconds raise(std::uint32_t index, base::Picoseconds now);
  base::Picoseconds wire_time(std::uint64_t packets) const;

  NicParams params_;
  base::DeviceId device_;
  NicStats stats_;
  DmaQueue dma_;
  RegisterPort registers_;
  InterruptSink* sink_ = nullptr;
  std::vector<std::unique_ptr<Queue>> queues_;
  std::deque<Operation> operations_;  ///< by cookie
  std::vector<std::uint64_t> free_;
  std::deque<Doorbell> doorbells_;
  Digest digest_;
  bool on_ = false;
  base::Picoseconds started_ = 0;
  std::uint64_t arrivals_ = 0;       ///< from the wire, with a rate
  base::Picoseconds wire_free_ = 0;  ///< of the sending side
};

}  // namespace iommusim::devices
