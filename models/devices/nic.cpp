// SPDX-License-Identifier: Apache-2.0
// Registers, rings and interrupts of the NIC; what happens to packets is in nic_packets.cpp.
#include "devices/nic.h"

#include <algorithm>

#include "traces/event.h"

namespace iommusim::devices {

namespace nic_hw = device_hw::nic;

Nic::Nic(const sc_core::sc_module_name& name, const NicParams& params, stats::Group& parent)
    : TimedModule(name),
      params_(params),
      device_(traces::parse_source(params.bdf).key()),
      stats_(parent, basename()),
      dma_(DmaLimits{params.outstanding, params.split_bytes}, device_, *this, stats_),
      registers_("registers", params.register_ns, *this) {
  for (std::uint32_t index = 0; index < params.queues; ++index) {
    auto queue = std::make_unique<Queue>();
    queue->receive.receive = true;
    queue->receive.queue = queue->transmit.queue = index;
    queue->to_come = share_of(params.receive_packets, params.queues, index);
    queues_.push_back(std::move(queue));
  }
}

bool Nic::idle() const {
  for (const auto& queue : queues_)
    if (queue->receive.busy() || queue->transmit.busy()) return false;
  return dma_.waiting() == 0;
}

// Registers.

std::uint64_t Nic::read_register(std::uint32_t offset, unsigned) {
  if (offset == nic_hw::kQueues) return params_.queues;
  if (offset == nic_hw::kControl) return on_;
  if (offset < nic_hw::kFirstQueue) return 0;
  const std::uint32_t index = (offset - nic_hw::kFirstQueue) / nic_hw::kQueueStep;
  const std::uint32_t inside = (offset - nic_hw::kFirstQueue) % nic_hw::kQueueStep;
  if (index >= queues_.size() || inside >= nic_hw::kInterruptEnable) return 0;
  const NicRing& ring = inside < nic_hw::kTransmit ? queues_[index]->receive : queues_[index]->transmit;
  switch (inside % nic_hw::kTransmit) {
    case nic_hw::kRingBase:
      return ring.base;
    case nic_hw::kRingEntries:
      return ring.entries;
    case nic_hw::kRingTail:
      return ring.tail;
    case nic_hw::kRingControl:
      return ring.on;
    case nic_hw::kRingStatus:
      return (ring.busy() ? nic_hw::kStatusBusy : 0) | (ring.error ? nic_hw::kStatusError : 0);
    default:
      return 0;
  }
}

void Nic::write_register(std::uint32_t offset, unsigned, std::uint64_t value) {
  if (offset == nic_hw::kControl) {
    if (!on_ && (value & 1) != 0) started_ = bus::now_ps();
    on_ = (value & 1) != 0;
  }
  wake_at(bus::now_ps());
  if (offset < nic_hw::kFirstQueue) return;
  const std::uint32_t index = (offset - nic_hw::kFirstQueue) / nic_hw::kQueueStep;
  const std::uint32_t inside = (offset - nic_hw::kFirstQueue) % nic_hw::kQueueStep;
  if (index >= queues_.size()) return;
  Queue& queue = *queues_[index];
  if (inside == nic_hw::kInterruptEnable)
    queue.interrupt_enabled = (value & 1) != 0;
  else if (inside < nic_hw::kInterruptEnable)
    write_ring(inside < nic_hw::kTransmit ? queue.receive : queue.transmit, inside % nic_hw::kTransmit, value);
}

void Nic::write_ring(NicRing& ring, std::uint32_t offset, std::uint64_t value) {
  if (offset == nic_hw::kRingTail) {
    ++stats_.doorbells;
    doorbells_.push_back({bus::now_ps() + params_.doorbell_ns * 1000, &ring, static_cast<std::uint32_t>(value)});
  } else if (offset == nic_hw::kRingControl) {
    const bool on = (value & 1) != 0;
    if (on && !ring.on && !ring.busy() && ring.entries >= 2) ring.switch_on();
    if (!on) {
      ring.on = false;
      ring.ready.clear();
      ring.gathering.clear();
    }
  } else if (!ring.on && offset == nic_hw::kRingBase) {
    ring.base = value;
  } else if (!ring.on && offset == nic_hw::kRingEntries) {
    ring.entries = static_cast<std::uint32_t>(value);
  }
}

void Nic::take_doorbells(base::Picoseconds now) {
  for (; !doorbells_.empty() && doorbells_.front().at <= now; doorbells_.pop_front()) {
    NicRing& ring = *doorbells_.front().ring;
    if (!ring.on) continue;
    if (doorbells_.front().tail < ring.entries)
      ring.tail = doorbells_.front().tail;
    else
      stop(ring);  // Model: a tail outside of the ring stops it
  }
}

// Descriptors.

Nic::Operation& Nic::begin(Step step, NicRing& ring, std::uint64_t& cookie) {
  if (free_.empty()) {
    free_.push_back(operations_.size());
    operations_.emplace_back();
  }
  cookie = free_.back();
  free_.pop_back();
  Operation& operation = operations_[cookie];
  operation.step = step;
  operation.ring = &ring;
  return operation;
}

/// `more`: those that are there do not hold a packet.
void Nic::fetch(NicRing& ring, bool more) {
  if (!ring.on || ring.error || ring.fetching || (!more && ring.ready.size() >= params_.fetch_batch)) return;
  const std::uint32_t end = ring.tail >= ring.fetch_next ? ring.tail : ring.entries;
  const std::uint32_t count = std::min(params_.fetch_batch, end - ring.fetch_next);
  if (count == 0) return;
  ring.fetching = true;
  std::uint64_t cookie = 0;
  Operation& operation = begin(Step::kFetch, ring, cookie);
  operation.count = count;
  operation.data.resize(std::size_t{count} * nic_hw::kDescriptorBytes);
  dma_.push(false, ring.base + std::uint64_t{ring.fetch_next} * nic_hw::kDescriptorBytes, operation.data.size(), cookie,
            operation.data.data());
}

void Nic::fetched(Operation& operation, bool ok) {
  NicRing& ring = *operation.ring;
  NicDirectionStats& stats = ring.receive ? stats_.receive : stats_.transmit;
  ring.fetching = false;
  if (!ok) return stop(ring);
  if (!ring.on) return;
  ++stats.fetches;
  for (std::uint32_t i = 0; i < operation.count; ++i) {
    std::uint64_t words[2];
    std::memcpy(words, operation.data.data() + std::size_t{i} * nic_hw::kDescriptorBytes, sizeof words);
    NicPacket::Piece piece;
    piece.descriptor = nic_hw::descriptor_of(words[0], words[1]);
    piece.index = ring.fetch_next + i;
    if (piece.descriptor.length == 0) return stop(ring);  // Model: a descriptor of no bytes stops the ring
    ring.ready.push_back(piece);
    ++stats.descriptors;
  }
  ring.fetch_next += operation.count;
  if (ring.fetch_next == ring.entries) ring.fetch_next = 0;
}

void Nic::stop(NicRing& ring) {
  if (!ring.error) ++(ring.receive ? stats_.receive : stats_.transmit).ring_errors;
  ring.error = true;
  ring.ready.clear();
  ring.gathering.clear();
  queues_[ring.queue]->news = true;
}

// One step after the other.

base::Picoseconds Nic::work(base::Picoseconds now) {
  take_doorbells(now);
  base::Picoseconds next = doorbells_.empty() ? base::kNever : doorbells_.front().at;
  next = std::min(next, take_arrivals(now));
  for (std::uint32_t index = 0; index < queues_.size(); ++index) {
    Queue& queue = *queues_[index];
    begin_receiving(queue, now);
    begin_sending(queue.transmit, now);
    for (NicRing* const ring : {&queue.receive, &queue.transmit}) {
      fetch(*ring, false);
      next = std::min(next, write_back(*ring, now));
    }
    next = std::min(next, raise(index, now));
  }
  return next;
}

base::Picoseconds Nic::raise(std::uint32_t index, base::Picoseconds now) {
  Queue& queue = *queues_[index];
  if (!queue.interrupt_enabled || !queue.news) return base::kNever;
  if (now < queue.next_interrupt) return queue.next_interrupt;
  queue.interrupt_enabled = queue.news = false;
  queue.next_interrupt = now + params_.interrupt_ns * 1000;
  ++stats_.interrupts;
  if (sink_ != nullptr) sink_->raise(index);
  return base::kNever;
}

}  // namespace iommusim::devices
