// SPDX-License-Identifier: Apache-2.0
#include "tlm/memory.h"

#include <algorithm>

namespace iommusim::bus {

Channel<Memory::Access>::Shape Memory::path_of(const MemoryParams& params, std::size_t ports) {
  Channel<Access>::Shape shape;
  shape.ports = static_cast<unsigned>(ports);
  shape.queue_depth = params.queue_depth;
  shape.credits_per_port = shape.credits = params.outstanding;
  shape.latency = params.latency_ns * 1000;
  shape.bytes_per_second = params.bandwidth_bytes_per_s;
  return shape;
}

Memory::Port::Port(const std::string& name, unsigned index, Memory& memory, std::size_t outstanding)
    : target(name.c_str(), index, memory), responses(outstanding), stats(memory.stats_, name) {}

Memory::Memory(const sc_core::sc_module_name& name, const MemoryParams& params, const std::vector<std::string>& ports,
               stats::Group& parent, std::uint64_t timing_seed)
    : TimedModule(name),
      dmi_(params.dmi),
      store_(params.physical_bits),
      latency_(params.latency_ns * 1000),
      rate_(params.bandwidth_bytes_per_s),
      channel_(path_of(params, ports.size())),
      stats_(parent, basename()),
      late_(params.outstanding),
      dram_(params.dram, timing_seed + 64, stats_),
      cache_(params.cache, timing_seed + 65, dram_, stats_),
      timed_inside_(cache_.enabled() || !dram_.instant()) {
  for (const std::string& port : ports)
    ports_.push_back(std::make_unique<Port>(port, static_cast<unsigned>(ports_.size()), *this, params.outstanding));
}

bool Memory::request(unsigned port, Payload& payload, Picoseconds at) {
  const Picoseconds now = now_ps();
  count_request(port);
  stats_.in_flight.enter(now);
  channel_.advance(now);
  if (channel_.full(port)) {
    ++ports_[port]->stats.stalls;
    wake_at(std::max(at, channel_.next_departure()));
    return false;
  }
  channel_.push(port, {&payload, at}, payload.get_data_length(), at);
  wake_at(channel_.next_arrival());
  return true;
}

void Memory::response_taken(unsigned port, Payload&, Picoseconds) {
  const Picoseconds now = now_ps();
  channel_.advance(now);
  finish(port, now);
  wake_at(now);
}

Picoseconds Memory::work(Picoseconds now) {
  channel_.advance(now);
  take_waiting(now);
  while (const auto* packet = channel_.arrived(now)) {
    const Picoseconds delay = perform(packet->port, *packet->cargo.payload, now);
    if (delay == 0)
      ports_[packet->port]->responses.push(packet->cargo);
    else
      late_.push(now + delay, {packet->port, packet->cargo});
    channel_.take();
  }
  while (late_.due(now)) {
    const LateAccess late = late_.pop();
    ports_[late.port]->responses.push(late.access);
  }
  for (unsigned i = 0; i < ports_.size(); ++i) {
    Port& port = *ports_[i];
    while (!port.responses.empty() && !port.target.responding()) {
      const Access access = port.responses.front();
      port.responses.pop();
      port.stats.latency_ps.add(now - access.since);
      if (port.target.respond(*access.payload)) finish(i, now);
    }
  }
  return next_event(now);
}

void Memory::take_waiting(Picoseconds now) {
  for (unsigned i = 0; i < ports_.size(); ++i) {
    TargetPort& port = ports_[i]->target;
    if (port.waiting() == nullptr || port.waiting_since() > now || channel_.full(i)) continue;
    channel_.push(i, {port.waiting(), port.waiting_since()}, port.waiting()->get_data_length(), now);
    port.end_request();
  }
}

Picoseconds Memory::next_event(Picoseconds now) const {
  Picoseconds next = std::min(channel_.next_arrival(), late_.next());
  for (unsigned i = 0; i < ports_.size(); ++i) {
    const TargetPort& port = ports_[i]->target;
    if (port.waiting() == nullptr) continue;
    next = std::min(next, std::max(port.waiting_since(), channel_.full(i) ? channel_.next_departure() : now));
  }
  return next;
}

void Memory::count_request(unsigned port) {
  ++ports_[port]->stats.requests;
  ++stats_.requests;
}

void Memory::finish(unsigned port, Picoseconds now) {
  channel_.release(port, now);
  stats_.in_flight.leave(now);
  ++stats_.answered;
}

}  // namespace iommusim::bus
