// SPDX-License-Identifier: Apache-2.0
// Construction, the sockets of devices, and when what is looked at.
#include "tlm/fabric.h"

#include <algorithm>

namespace iommusim::bus {

Fabric::Port::Port(const PortShape& shape, unsigned index, Fabric& fabric)
    : target(shape.name.c_str(), index, fabric),
      stats(fabric.stats_, shape.name),
      link(shape.link),
      alias(shape.alias) {
  const AxiParams& axi = fabric.links_.at(link)->rules.axi();
  reads_left = axi.outstanding_reads;
  writes_left = axi.outstanding_writes;
}

Fabric::Link::Link(const LinkShape& shape, stats::Group& parent)
    : rules(shape.params),
      rate(rules.bytes_per_s()),
      stats(parent, shape.name),
      above(shape.above),
      weight(shape.params.weight),
      node(shape.arbitration),
      posted(shape.params.pcie.posted_header_credits),
      data(shape.params.pcie.posted_data_credits),
      nonposted(shape.params.pcie.nonposted_header_credits),
      tags(shape.params.pcie.tags) {
  if (!rules.is_axi()) return;
  posted = data = nonposted = tags = kUnlimited;
  queue.set_independent(true);
  arrived.set_independent(true);
}

Fabric::Fabric(const sc_core::sc_module_name& name, const Shape& shape, stats::Group& parent)
    : TimedModule(name), host_(shape.arbitration), stats_(parent, basename()), iommu_("to_iommu", 0, *this) {
  for (const LinkShape& link : shape.links) {
    base::ensure(link.above == kHostBridge || link.above < links_.size(), "a link hangs on one that is not there yet");
    links_.push_back(std::make_unique<Link>(link, stats_));
    if (link.above != kHostBridge) links_.back()->path = links_[link.above]->path;
    links_.back()->path.push_back(static_cast<std::uint32_t>(links_.size() - 1));
  }
  for (const PortShape& port : shape.ports) {
    const auto index = static_cast<unsigned>(ports_.size());
    links_.at(port.link)->ports.push_back(index);
    ports_.push_back(std::make_unique<Port>(port, index, *this));
  }
}

bool Fabric::request(unsigned index, Payload& payload, Picoseconds at) {
  const Picoseconds now = now_ps();
  Port& port = *ports_[index];
  if (!is_credit(payload)) {
    ++stats_.requests;
    ++port.stats.requests;
    stats_.in_flight.enter(now);
  }
  if (!has_room(port, now)) {
    ++port.stats.stalls;
    schedule(port.link, std::max(at, port.departures.empty() ? kNever : port.departures.front()));
    return false;
  }
  accept(index, payload, at);
  pump(port.link, now);
  reschedule(port.link, now);
  return true;
}

void Fabric::response_taken(unsigned index, Payload& payload, Picoseconds) {
  Port& port = *ports_[index];
  finish(port, is_credit(payload), now_ps());
  schedule(port.link, now_ps());
}

Picoseconds Fabric::work(Picoseconds now) {
  working_ = true;
  while (next_visit() <= now) {
    while (next_visit() <= now) {
      const std::uint32_t link = visits_.front().link;
      links_[link]->visit = kNever;
      touch(link);
    }
    // What arrives at this time takes part in what is decided at this time.
    for (std::size_t i = 0; i < touched_.size(); ++i) arrive(touched_[i], now);
    for (std::size_t i = 0; i < touched_.size(); ++i) pump(touched_[i], now);
    forward(now);
    for (std::size_t i = 0; i < touched_.size(); ++i) {
      Link& link = *links_[touched_[i]];
      link.touched = false;
      for (const std::uint32_t index : link.ports) {
        Port& port = *ports_[index];
        answer(port, now);
        if (port.target.waiting() == nullptr || port.target.waiting_since() > now || !has_room(port, now)) continue;
        accept(index, *port.target.waiting(), now);
        port.target.end_request();
        pump(touched_[i], now);
      }
      reschedule(touched_[i], now);
    }
    touched_.clear();
  }
  forward(now);
  working_ = false;
  return std::min(next_visit(), host_.ready.empty() ? kNever : iommu_.ready_at());
}

void Fabric::touch(std::uint32_t index) {
  Link& link = *links_[index];
  if (link.touched) return;
  link.touched = true;
  touched_.push_back(index);
}

void Fabric::schedule(std::uint32_t index, Picoseconds at) {
  Link& link = *links_[index];
  if (at >= link.visit) return;
  link.visit = at;
  visits_.push_back({at, index});
  std::push_heap(visits_.begin(), visits_.end(), [](const Visit& a, const Visit& b) { return a.at > b.at; });
  if (!working_) wake_at(at);
}

/// When a link is to be looked at first; old entries are dropped on the way.
Picoseconds Fabric::next_visit() {
  while (!visits_.empty() && links_[visits_.front().link]->visit != visits_.front().at) {
    std::pop_heap(visits_.begin(), visits_.end(), [](const Visit& a, const Visit& b) { return a.at > b.at; });
    visits_.pop_back();
  }
  return visits_.empty() ? kNever : visits_.front().at;
}

void Fabric::reschedule(std::uint32_t index, Picoseconds now) {
  Link& link = *links_[index];
  Picoseconds next = link.flight.empty() ? kNever : link.flight.front().at;
  const bool pending = !link.queue.empty() || !link.node.ready.empty();
  if (pending && !link.returns.empty()) next = std::min(next, link.returns.front().at);
  if (!link.node.ready.empty() && link.up_free.rounded_up() > now) next = std::min(next, link.up_free.rounded_up());
  for (const std::uint32_t number : link.ports) {
    Port& port = *ports_[number];
    if (!port.answers.empty() && !port.target.responding()) next = std::min(next, port.answers.front().at);
    if (port.target.waiting() == nullptr) continue;
    const Picoseconds since = port.target.waiting_since();
    if (has_room(port, now))
      next = std::min(next, since);
    else if (!port.departures.empty())
      next = std::min(next, std::max(port.departures.front(), since));
  }
  schedule(index, next);
}

void Fabric::blocking(unsigned index, Payload& payload, sc_core::sc_time& delay) {
  // Model: a loosely-timed transaction takes its unloaded time and does not compete for the links.
  Port& port = *ports_[index];
  ++stats_.requests;
  ++port.stats.requests;
  Piece piece;
  piece.data = payload.get_data_length();
  piece.posted = payload.is_write() || is_message(payload);
  piece.free = is_credit(payload);
  const auto& path = links_[port.link]->path;
  Picoseconds up = 0;
  for (const std::uint32_t number : path) {
    const Link& link = *links_[number];
    up += link.rate.after({}, size_on(link, piece).bytes).rounded_up() + link.rules.latency_up();
  }
  delay += to_sc_time(up);
  iommu_.socket->b_transport(payload, delay);
  const Load load = load_of(payload, piece, links_[port.link]->rules);
  Picoseconds down = 0;
  for (const std::uint32_t number : path) {
    const Link& link = *links_[number];
    down += link.rate.after({}, load.bytes).rounded_up() + link.rules.latency_down();
  }
  delay += to_sc_time(down);
  ++stats_.answered;
}

/// Direct accesses take the unloaded time of the links, without that of their bytes.
bool Fabric::direct(unsigned index, Payload& payload, ::tlm::tlm_dmi& direct) {
  if (!iommu_.socket->get_direct_mem_ptr(payload, direct)) return false;
  Picoseconds links = 0;
  for (const std::uint32_t number : links_[ports_[index]->link]->path)
    links += links_[number]->rules.latency_up() + links_[number]->rules.latency_down();
  direct.set_read_latency(direct.get_read_latency() + to_sc_time(links));
  direct.set_write_latency(direct.get_write_latency() + to_sc_time(links));
  return true;
}

void Fabric::direct_revoked(unsigned, std::uint64_t first, std::uint64_t last) {
  for (const auto& port : ports_) port->target.revoke_direct(first, last);
}

}  // namespace iommusim::bus
