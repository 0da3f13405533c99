// SPDX-License-Identifier: Apache-2.0
// The way of packets from devices to the IOMMU.
#include <algorithm>

#include "tlm/fabric.h"

namespace iommusim::bus {

/// A transfer holds its place until its last packet has left on the link.
bool Fabric::has_room(Port& port, Picoseconds now) {
  while (!port.departures.empty() && port.departures.front() <= now) {
    port.departures.pop();
    --port.held;
  }
  return port.held < links_[port.link]->rules.queue_depth();
}

/// Cuts a transfer into packets, which wait for the link from `at` on.
void Fabric::accept(std::uint32_t index, Payload& payload, Picoseconds at) {
  Port& port = *ports_[index];
  Link& link = *links_[port.link];
  const std::uint32_t number = transfers_.take();
  ++port.held;
  const bool whole = is_message(payload) || dma_of(payload).type == translate::AddressType::kAtsRequest;
  const std::uint32_t bytes = payload.get_data_length();
  std::uint32_t pieces = 0;
  for (std::uint32_t offset = 0; pieces == 0 || offset < bytes; ++pieces) {  // one packet at least
    const std::uint32_t id = pieces_.take();
    Piece& piece = pieces_[id];
    piece.transfer = number;
    piece.offset = offset;
    piece.posted = payload.is_write() || is_message(payload);
    piece.free = is_credit(payload);
    piece.data = is_message(payload) ? 0
                 : whole             ? bytes
                         : link.rules.cut(payload.is_write(), payload.get_address() + offset, bytes - offset);
    piece.size = size_on(link, piece);
    piece.since = at;
    if (injector_ != nullptr)
      // Model: a packet that is sent again takes the link for both times at once, after the delay.
      if (const auto delay_ns = injector_->retry(port.stats.name(), payload.is_write(), at)) {
        ++port.stats.retries;
        piece.size.bytes *= 2;
        piece.since += *delay_ns * 1000;
      }
    port.stats.bytes_up += piece.size.bytes;
    link.queue.push(id, piece.posted);
    offset += whole ? bytes : piece.data;
  }
  Transfer& transfer = transfers_[number];
  transfer.payload = &payload;
  transfer.port = index;
  transfer.pieces = transfer.unsent = pieces;
  transfer.is_cut = pieces > 1;
}

LinkRules::Up Fabric::size_on(const Link& link, const Piece& piece) const {
  if (piece.free) return {};
  return piece.posted ? link.rules.write(piece.data) : link.rules.read(piece.data);
}

/// Takes what has come back to the lower end.
void Fabric::collect(Link& link, Picoseconds now) {
  while (!link.returns.empty() && link.returns.front().at <= now) {
    const Return& back = link.returns.front();
    link.posted += back.posted;
    link.data += back.data;
    link.nonposted += back.nonposted;
    link.tags += back.tags;
    if (back.reads + back.writes != 0) {
      ports_[back.port]->reads_left += back.reads;
      ports_[back.port]->writes_left += back.writes;
    }
    link.unblocked = back.at;
    link.returns.pop();
  }
}

bool Fabric::fits(Link& link, std::uint32_t id) {
  Piece& piece = pieces_[id];
  const bool endpoint = !link.ports.empty();
  const LinkRules::Up size = endpoint ? piece.size : size_on(link, piece);
  if (endpoint && link.rules.is_axi() && !piece.free) {
    const Port& port = *ports_[transfers_[piece.transfer].port];
    if ((piece.posted ? port.writes_left : port.reads_left) != 0) return true;
    if (!piece.waited) ++link.stats.tag_waits;
    piece.waited = true;
    return false;
  }
  bool tags = true;
  bool credits = true;
  if (piece.posted) {
    credits = size.headers <= link.posted && size.data_credits <= link.data;
  } else {
    tags = !endpoint || size.headers <= link.tags;
    credits = size.headers <= link.nonposted;
  }
  if (tags && credits) return true;
  if (!piece.waited) ++(tags ? link.stats.credit_waits : link.stats.tag_waits);
  piece.waited = true;
  return false;
}

void Fabric::pump(std::uint32_t index, Picoseconds now) {
  Link& link = *links_[index];
  collect(link, now);
  if (!link.ports.empty())
    pump_endpoint(link, now);
  else
    pump_bridge(index, now);
}

void Fabric::begin_burst(std::uint32_t id) {
  const Piece& piece = pieces_[id];
  Port& port = *ports_[transfers_[piece.transfer].port];
  --(piece.posted ? port.writes_left : port.reads_left);
  port.order[piece.posted ? 1 : 0].push(id);
}

/// Nothing competes for the link of an endpoint: what can go is given its time on the link at once.
void Fabric::pump_endpoint(Link& link, Picoseconds) {
  const auto room = [&](std::uint32_t id) { return fits(link, id); };
  for (std::uint32_t id = link.queue.next(room); id != OrderedQueue::kNone; id = link.queue.next(room)) {
    const Piece& piece = pieces_[id];
    link.queue.pop(piece.posted);
    if (!piece.posted) link.tags -= piece.size.headers;
    if (link.rules.is_axi() && !piece.free) begin_burst(id);
    const Picoseconds left = launch(link, id, piece.since);
    Transfer& transfer = transfers_[piece.transfer];
    if (--transfer.unsent == 0)
      ports_[transfer.port]->departures.insert(left, [](Picoseconds a, Picoseconds b) { return a < b; });
  }
}

/// One packet at a time, chosen when the link is free: what comes until then takes part.
void Fabric::pump_bridge(std::uint32_t index, Picoseconds now) {
  Link& link = *links_[index];
  Node& node = link.node;
  const auto room = [&](std::uint32_t id) { return fits(link, id); };
  while (!node.ready.empty() && link.up_free.rounded_up() <= now) {
    candidates_.clear();
    for (const std::uint32_t from : node.ready)
      if (links_[from]->arrived.next(room) != OrderedQueue::kNone) candidates_.push_back(from);
    if (candidates_.empty()) return;
    const std::uint32_t from =
        node.arbiter.pick(candidates_, [this](std::uint32_t candidate) { return links_[candidate]->weight; });
    const std::uint32_t id = links_[from]->arrived.next(room);
    Piece& piece = pieces_[id];
    const LinkRules::Up held = piece.came;
    piece.size = size_on(link, piece);
    const Picoseconds left = launch(link, id, piece.since);
    pieces_[id].came = held;
    leave_node(node, from, id, left);
    pieces_[id].came = pieces_[id].size;
    pieces_[id].waited = false;
  }
}

/// Puts a packet on the link from `start` on, if the link and its credits are free then. When it has left.
Picoseconds Fabric::launch(Link& link, std::uint32_t id, Picoseconds start) {
  Piece& piece = pieces_[id];
  if (piece.posted) {
    link.posted -= piece.size.headers;
    link.data -= piece.size.data_credits;
  } else {
    link.nonposted -= piece.size.headers;
  }
  piece.came = piece.size;
  const Picoseconds can = piece.waited ? std::max(start, link.unblocked) : start;
  Moment& free = link.rules.is_axi() && !piece.posted ? link.reads_free : link.up_free;
  free = link.rate.after(Rate::later(free, can), piece.size.bytes);
  const Picoseconds left = free.rounded_up();
  link.stats.up_busy_ps += link.rate.after({}, piece.size.bytes).whole;
  stats_.up_busy_ps += link.rate.after({}, piece.size.bytes).whole;
  link.stats.packets_up += piece.size.headers;
  link.flight.insert({left + link.rules.latency_up(), id},
                     [](const Flight& a, const Flight& b) { return a.at < b.at; });
  return left;
}

void Fabric::arrive(std::uint32_t index, Picoseconds now) {
  Link& link = *links_[index];
  while (!link.flight.empty() && link.flight.front().at <= now) {
    const Flight flight = link.flight.front();
    link.flight.pop();
    pieces_[flight.piece].since = flight.at;
    const bool first = link.arrived.empty();
    link.arrived.push(flight.piece, pieces_[flight.piece].posted);
    if (!first) continue;
    if (link.above == kHostBridge) {
      host_.ready.push_back(index);
    } else {
      links_[link.above]->node.ready.push_back(index);
      touch(link.above);
    }
  }
}

/// A packet leaves the upper end of the link `from`; its credits go back when it has left completely.
void Fabric::leave_node(Node& node, std::uint32_t from, std::uint32_t id, Picoseconds at) {
  Link& link = *links_[from];
  const Piece& piece = pieces_[id];
  link.arrived.pop(piece.posted);
  if (link.arrived.empty()) node.ready.erase(std::find(node.ready.begin(), node.ready.end(), from));
  if (piece.came.headers == 0) return;
  const Picoseconds back = at + link.rules.latency_down();
  const Return credits{back,
                       piece.posted ? piece.came.headers : 0,
                       piece.came.data_credits,
                       piece.posted ? 0 : piece.came.headers,
                       0,
                       0,
                       0,
                       0};
  link.returns.insert(credits, [](const Return& a, const Return& b) { return a.at < b.at; });
  if (!link.queue.empty() || !link.node.ready.empty()) schedule(from, back);
}

void Fabric::forward(Picoseconds now) {
  while (!host_.ready.empty() && iommu_.ready(now)) {
    const std::uint32_t from =
        host_.arbiter.pick(host_.ready, [this](std::uint32_t candidate) { return links_[candidate]->weight; });
    const std::uint32_t id = links_[from]->arrived.next([](std::uint32_t) { return true; });
    if (pieces_[id].since < now) ++stats_.held;
    leave_node(host_, from, id, now);
    send(id);
  }
}

void Fabric::send(std::uint32_t id) {
  Payload& payload = payload_of(id);
  if (!pieces_[id].free) ++stats_.forwarded;
  dma_of(payload).push_hop(id);
  const Port& port = *ports_[transfers_[pieces_[id].transfer].port];
  dma_of(payload).requester_port = port.link;
  if (port.alias) dma_of(payload).device = *port.alias;
  iommu_.send(payload);
}

/// A transfer that is one packet travels itself.
Payload& Fabric::payload_of(std::uint32_t id) {
  const Piece& piece = pieces_[id];
  const Transfer& transfer = transfers_[piece.transfer];
  if (!transfer.is_cut) return *transfer.payload;
  Payload& whole = *transfer.payload;
  PooledPayload& part = pool_.take();
  set_access(part, whole.is_write(), whole.get_address() + piece.offset, whole.get_data_ptr() + piece.offset,
             piece.data);
  part.dma = dma_of(whole);
  return part;
}

}  // namespace iommusim::bus
