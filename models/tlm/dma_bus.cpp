// SPDX-License-Identifier: Apache-2.0
#include "tlm/dma_bus.h"

#include <algorithm>

namespace iommusim::bus {

Channel<DmaBus::Cargo>::Shape DmaBus::upstream_of(const DmaBusParams& params, std::size_t ports) {
  Channel<Cargo>::Shape shape;
  shape.ports = static_cast<unsigned>(ports);
  shape.queue_depth = params.queue_depth;
  shape.credits_per_port = params.credits;
  shape.credits = params.credits * ports;
  shape.latency = params.latency_up_ns * 1000;
  shape.bytes_per_second = params.bandwidth_up_bytes_per_s;
  return shape;
}

DmaBus::Port::Port(const std::string& name, unsigned index, DmaBus& bus, std::size_t credits)
    : target(name.c_str(), index, bus), answers(credits + kMaxMessageCredits), stats(bus.stats_, name) {}

DmaBus::DmaBus(const sc_core::sc_module_name& name, const DmaBusParams& params, const std::vector<std::string>& ports,
               stats::Group& parent)
    : TimedModule(name),
      params_(params),
      rate_up_(params.bandwidth_up_bytes_per_s),
      rate_down_(params.bandwidth_down_bytes_per_s),
      up_(upstream_of(params, ports.size())),
      stats_(parent, basename()),
      iommu_("to_iommu", 0, *this),
      arrivals_(ports.size() * (params.credits + kMaxMessageCredits)),
      due_(static_cast<unsigned>(ports.size())),
      takeable_(static_cast<unsigned>(ports.size())) {
  for (const std::string& port : ports)
    ports_.push_back(std::make_unique<Port>(port, static_cast<unsigned>(ports_.size()), *this, params.credits));
}

bool DmaBus::request(unsigned port, Payload& payload, Picoseconds at) {
  const Picoseconds now = now_ps();
  const Cargo cargo = cargo_of(payload);
  if (!cargo.credit) {
    ++stats_.requests;
    ++ports_[port]->stats.requests;
    stats_.in_flight.enter(now);
  }
  up_.advance(now);
  if (up_.full(port)) {
    ++ports_[port]->stats.stalls;
    ++refused_;
    wake_at(std::max(at, up_.next_departure()));
    return false;
  }
  enqueue(port, cargo, at);
  wake_at(up_.next_arrival());
  return true;
}

void DmaBus::enqueue(unsigned port, const Cargo& cargo, Picoseconds at) {
  const Sending sending = send_up(port, cargo, at);
  ports_[port]->stats.bytes_up += sending.bytes;
  stats_.up_busy_ps += rate_up_.after({}, sending.bytes).whole;
  up_.push(port, cargo, sending.bytes, at + sending.delay);
}

/// What a packet takes of the link towards the IOMMU.
/// Model: one that is sent again takes the link for both times at once, after the delay; what the port sends behind it
/// stays behind it.
DmaBus::Sending DmaBus::send_up(unsigned port, const Cargo& cargo, Picoseconds at) {
  Sending sending{bytes_up(cargo), 0};
  if (injector_ == nullptr) return sending;
  const auto delay_ns = injector_->retry(ports_[port]->stats.name(), cargo.payload->is_write(), at);
  if (!delay_ns) return sending;
  ++ports_[port]->stats.retries;
  return {2 * sending.bytes, *delay_ns * 1000};
}

void DmaBus::response(unsigned, Payload& payload, Picoseconds at) {
  const Cargo cargo = cargo_of(payload);
  const unsigned port = cargo.dma->pop_hop();
  const std::uint32_t bytes = bytes_down(cargo);
  ports_[port]->stats.bytes_down += bytes;
  stats_.down_busy_ps += rate_down_.after({}, bytes).whole;
  const Moment left = rate_down_.after(Rate::later(down_free_, at), bytes);
  if (bytes != 0) down_free_ = left;
  const Picoseconds arrival = left.rounded_up() + params_.latency_down_ns * 1000;
  ports_[port]->answers.push(arrival, cargo);
  arrivals_.push(arrival, port);
  wake_at(arrival);
}

void DmaBus::response_taken(unsigned port, Payload& payload, Picoseconds) {
  const Picoseconds now = now_ps();
  up_.advance(now);
  finish(port, cargo_of(payload).credit, now);
  due_.insert(port);
  wake_at(now);
}

Picoseconds DmaBus::work(Picoseconds now) {
  up_.advance(now);
  while (arrivals_.due(now)) due_.insert(arrivals_.pop());
  due_.for_each([&](unsigned port) {
    answer(port, now);
    due_.erase(port);
  });
  take_waiting(now);
  forward(now);
  return next_event();
}

void DmaBus::answer(unsigned index, Picoseconds now) {
  Port& port = *ports_[index];
  while (port.answers.due(now) && !port.target.responding()) {
    const Cargo cargo = port.answers.pop();
    if (port.target.respond(*cargo.payload)) finish(index, cargo.credit, now);
  }
}

void DmaBus::finish(unsigned port, bool credit, Picoseconds now) {
  if (credit) {
    --ports_[port]->message_credits;
    ++stats_.messages_down;
    return;
  }
  up_.release(port, now);
  stats_.in_flight.leave(now);
  ++stats_.answered;
}

void DmaBus::take_waiting(Picoseconds now) {
  up_.freed().for_each([&](unsigned i) {
    if (ports_[i]->target.waiting() != nullptr) takeable_.insert(i);
    up_.freed().erase(i);
  });
  takeable_.for_each([&](unsigned i) {
    TargetPort& port = ports_[i]->target;
    if (!up_.full(i)) {
      if (port.waiting_since() > now) return;
      enqueue(i, cargo_of(*port.waiting()), now);
      --refused_;
      port.end_request();
    }
    takeable_.erase(i);
  });
}

void DmaBus::forward(Picoseconds now) {
  while (const auto* packet = up_.arrived(now)) {
    if (!iommu_.ready(now)) return;
    if (packet->time < now) ++stats_.held;
    const Cargo cargo = packet->cargo;
    cargo.dma->push_hop(packet->port);
    cargo.dma->requester_port = packet->port;
    if (cargo.credit) {
      base::ensure(++ports_[packet->port]->message_credits <= kMaxMessageCredits, "too many credits for messages");
      up_.release(packet->port, now);
    } else {
      ++stats_.forwarded;
    }
    up_.take();
    iommu_.send(*cargo.payload);
  }
}

Picoseconds DmaBus::next_event() {
  Picoseconds next = std::min(std::max(up_.next_arrival(), iommu_.ready_at()), arrivals_.next());
  if (refused_ == 0) return next;
  takeable_.for_each([&](unsigned port) { next = std::min(next, ports_[port]->target.waiting_since()); });
  return std::min(next, up_.next_departure());
}

std::uint32_t DmaBus::bytes_up(const Cargo& cargo) const {
  if (cargo.credit) return 0;
  return params_.header_bytes + (cargo.payload->is_write() ? cargo.payload->get_data_length() : 0);
}

std::uint32_t DmaBus::bytes_down(const Cargo& cargo) const {
  const Payload& payload = *cargo.payload;
  if (is_message(*cargo.dma)) {
    if (!cargo.credit) return 0;
    const bool body = message_of(payload).message.kind == translate::DeviceMessage::Kind::kInvalidationRequest;
    return params_.header_bytes + (body ? kInvalidationBodyBytes : 0);
  }
  if (payload.is_write()) return 0;
  return params_.header_bytes + (payload.is_response_ok() ? payload.get_data_length() : 0);
}

void DmaBus::blocking(unsigned port, Payload& payload, sc_core::sc_time& delay) {
  // Model: a loosely-timed transaction takes its unloaded time and does not compete for the links.
  ++stats_.requests;
  ++ports_[port]->stats.requests;
  const Cargo cargo = cargo_of(payload);
  const Sending sending = send_up(port, cargo, now_ps() + delay.value());
  delay += to_sc_time(sending.delay + rate_up_.after({}, sending.bytes).rounded_up() + params_.latency_up_ns * 1000);
  iommu_.socket->b_transport(payload, delay);
  delay += to_sc_time(rate_down_.after({}, bytes_down(cargo)).rounded_up() + params_.latency_down_ns * 1000);
  ++stats_.answered;
}

unsigned DmaBus::debug(unsigned, Payload& payload) { return iommu_.socket->transport_dbg(payload); }

/// Direct accesses take the unloaded time of the links, without that of their bytes.
bool DmaBus::direct(unsigned, Payload& payload, ::tlm::tlm_dmi& direct) {
  if (!iommu_.socket->get_direct_mem_ptr(payload, direct)) return false;
  const sc_core::sc_time links = to_sc_time((params_.latency_up_ns + params_.latency_down_ns) * 1000);
  direct.set_read_latency(direct.get_read_latency() + links);
  direct.set_write_latency(direct.get_write_latency() + links);
  return true;
}

void DmaBus::direct_revoked(unsigned, std::uint64_t first, std::uint64_t last) {
  for (const auto& port : ports_) port->target.revoke_direct(first, last);
}

}  // namespace iommusim::bus
