// SPDX-License-Identifier: Apache-2.0
#include "devices/packets.h"

#include <utility>

#include "base/bits.h"
#include "traces/event.h"

namespace iommusim::devices {

namespace {

/// Where packet number `n` of a tenant has its part of the area.
std::uint64_t slot_of(const PacketAreaParams& area, std::uint64_t n) {
  std::uint64_t slot = 1;
  while (slot < area.access_bytes) slot *= 2;
  return area.iova + n % (area.bytes / slot) * slot;
}

}  // namespace

Packets::Packets(const sc_core::sc_module_name& name, const PacketsParams& params, stats::Group& parent)
    : TimedModule(name),
      params_(params),
      first_(traces::parse_source(params.bdf).key()),
      stats_(parent, basename()),
      master_("dma", DmaLimits{params.outstanding, 4096}, *this, stats_) {}

void Packets::start(std::function<void()> done) {
  base::ensure(next_arrival_ == base::kNever, "a generator was started twice");
  done_ = std::move(done);
  next_arrival_ = bus::now_ps();
  wake_at(next_arrival_);
}

base::Picoseconds Packets::work(base::Picoseconds now) {
  if (!over() && next_arrival_ <= now && queued_ < params_.translation_queue) arrive(now);
  return over() || queued_ == params_.translation_queue ? base::kNever : next_arrival_;
}

/// While the queue is full nobody looks at arrivals; they are dropped when it is known how many they were.
void Packets::drop_until(base::Picoseconds now) {
  for (; next_arrival_ <= now && !over(); next_arrival_ += params_.interval_ps) {
    ++arrivals_;
    ++stats_.offered;
    ++stats_.dropped;
    if (params_.dropped == AfterDrop::kNext) ++turn_;
  }
}

void Packets::arrive(base::Picoseconds now) {
  ++arrivals_;
  ++stats_.offered;
  ++stats_.accepted;
  stats_.bytes += params_.data.access_bytes;
  next_arrival_ += params_.interval_ps;
  begin_packet(now);
}

void Packets::begin_packet(base::Picoseconds now) {
  const std::uint64_t number = turn_ / params_.tenants;  // of this tenant's packets
  DmaRequest request;
  request.device = base::DeviceId(first_.value + static_cast<std::uint32_t>(turn_++ % params_.tenants));
  ++accepted_;
  ++queued_;
  stats_.waiting.enter(now);
  waiting_.push_back({now, kDmas});
  for (const PacketAreaParams* const area : {&params_.ring, &params_.data, &params_.notification}) {
    request.iova = slot_of(*area, number);
    request.bytes = area->access_bytes;
    request.write = area != &params_.ring;
    request.cookie = 0;
    to_issue_.push_back(request);
  }
  issue();
}

void Packets::issue() {
  for (; !to_issue_.empty() && master_.try_issue(to_issue_.front()); to_issue_.pop_front()) {
  }
}

/// The master numbers DMAs in the order in which they are begun: three a packet.
void Packets::translated(const bus::DmaExtension& dma) {
  const base::Picoseconds now = bus::now_ps();
  Waiting& packet = waiting_[dma.origin / kDmas - first_waiting_];
  if (--packet.left != 0) return;
  ++stats_.translated;
  stats_.waiting.leave(now);
  stats_.translation_ps.add(now - packet.since);
  for (; !waiting_.empty() && waiting_.front().left == 0; waiting_.pop_front()) ++first_waiting_;
  if (queued_ == params_.translation_queue) drop_until(now);
  --queued_;
  if (!over()) wake_at(next_arrival_);
  finish_if_over();
}

void Packets::produce(const DmaRequest& request, std::uint64_t offset, std::uint8_t* data, std::uint32_t bytes) {
  fill_pattern(pattern_key(request.device.value, 0), request.iova + offset, data, bytes);
}

void Packets::completed(const DmaRequest&, translate::Response response) {
  digest_.add_response(++ended_, response);
  finish_if_over();
}

void Packets::finish_if_over() {
  if (over() && queued_ == 0 && ended_ == accepted_ * kDmas && done_) std::exchange(done_, nullptr)();
}

}  // namespace iommusim::devices
