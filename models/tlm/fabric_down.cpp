// SPDX-License-Identifier: Apache-2.0
// The way of answers from the IOMMU to devices. Each link downwards has one source, the one above it: its packets are
// given their times in the order of their coming, all along the path, when the IOMMU answers.
#include <algorithm>

#include "tlm/fabric.h"

namespace iommusim::bus {

Fabric::Load Fabric::load_of(const Payload& payload, const Piece& piece, const LinkRules& rules) const {
  if (is_message(payload)) {
    if (!is_credit(payload)) return {};
    const bool body = message_of(payload).message.kind == translate::DeviceMessage::Kind::kInvalidationRequest;
    const std::uint32_t bytes = rules.message_bytes(body ? kInvalidationBodyBytes : 0);
    return {bytes, 1, 0, bytes};
  }
  if (piece.posted) return {};
  const std::uint32_t header = rules.completion_header();
  const std::uint32_t data = payload.is_response_ok() ? piece.data : 0;
  const std::uint32_t bytes = rules.completion_bytes(data);
  return {bytes, header == 0 ? 1 : (bytes - data) / header, rules.completion_data(), header};
}

Picoseconds Fabric::pass(Link& link, std::uint32_t bytes, Picoseconds at) {
  const Moment start = Rate::later(link.down_free, at);
  if (bytes != 0) {
    link.down_free = link.rate.after(start, bytes);
    ++link.stats.packets_down;
    link.stats.down_busy_ps += link.rate.after({}, bytes).whole;
    stats_.down_busy_ps += link.rate.after({}, bytes).whole;
  }
  return (bytes != 0 ? link.down_free : start).rounded_up() + link.rules.latency_down();
}

/// When the last packet is at the lower end of `to`.
Picoseconds Fabric::send_down(const Link& to, const Load& load, Picoseconds at) {
  if (load.packets <= 1 || to.path.size() == 1) {
    for (const std::uint32_t number : to.path) at = pass(*links_[number], load.bytes, at);
    if (load.packets > 1) links_[to.path.front()]->stats.packets_down += load.packets - 1;
    return at;
  }
  Picoseconds last = at;
  std::uint32_t left = load.bytes;
  for (std::uint32_t i = 0; i < load.packets; ++i) {
    const std::uint32_t bytes = i + 1 == load.packets ? left : load.header + load.data;
    left -= bytes;
    last = at;
    for (const std::uint32_t number : to.path) last = pass(*links_[number], bytes, last);
  }
  return last;
}

void Fabric::response(unsigned, Payload& payload, Picoseconds at) {
  const std::uint32_t id = dma_of(payload).pop_hop();
  Piece& piece = pieces_[id];
  Port& port = *ports_[transfers_[piece.transfer].port];
  if (!links_[port.link]->rules.is_axi() || piece.free) return deliver(id, payload, at);
  piece.answer = &payload;
  GrowingRing<std::uint32_t>& order = port.order[piece.posted ? 1 : 0];
  while (!order.empty() && pieces_[order.front()].answer != nullptr) {
    const std::uint32_t oldest = order.front();
    order.pop();
    deliver(oldest, *pieces_[oldest].answer, at);
  }
}

/// The answer to a packet goes down to its device.
void Fabric::deliver(std::uint32_t id, Payload& payload, Picoseconds at) {
  const Piece piece = pieces_[id];
  pieces_.give_back(id);
  Transfer& transfer = transfers_[piece.transfer];
  Port& port = *ports_[transfer.port];
  Link& link = *links_[port.link];
  const Load load = load_of(payload, piece, link.rules);
  port.stats.bytes_down += load.bytes;
  const Picoseconds arrival = send_down(link, load, at);
  if (link.rules.is_axi() && !piece.free) {
    const Return burst{arrival, 0, 0, 0, 0, transfer.port, piece.posted ? 0U : 1U, piece.posted ? 1U : 0U};
    link.returns.insert(burst, [](const Return& a, const Return& b) { return a.at < b.at; });
    if (!link.queue.empty()) schedule(port.link, arrival);
  } else if (!piece.posted) {
    const LinkRules::Up size = size_on(link, piece);
    link.returns.insert({arrival, 0, 0, 0, size.headers, 0, 0, 0},
                        [](const Return& a, const Return& b) { return a.at < b.at; });
    if (!link.queue.empty()) schedule(port.link, arrival);
  }
  transfer.done = std::max(transfer.done, arrival);
  if (transfer.is_cut) {
    const translate::Response response = dma_of(payload).response;
    if (!payload.is_response_ok() && (transfer.status == ::tlm::TLM_OK_RESPONSE || response > transfer.worst))
      transfer.status = payload.get_response_status();
    transfer.worst = std::max(transfer.worst, response);
    payload.release();
    if (--transfer.pieces != 0) return;
    dma_of(*transfer.payload).response = transfer.worst;
    transfer.payload->set_response_status(transfer.status);
  }
  port.answers.insert({transfer.done, transfer.payload}, [](const Answer& a, const Answer& b) { return a.at < b.at; });
  schedule(port.link, transfer.done);
  transfers_.give_back(piece.transfer);
}

void Fabric::answer(Port& port, Picoseconds now) {
  while (!port.answers.empty() && port.answers.front().at <= now && !port.target.responding()) {
    Payload& payload = *port.answers.front().payload;
    port.answers.pop();
    const bool credit = is_credit(payload);
    if (port.target.respond(payload)) finish(port, credit, now);
  }
}

void Fabric::finish(Port&, bool credit, Picoseconds now) {
  if (credit) {
    ++stats_.messages_down;
    return;
  }
  stats_.in_flight.leave(now);
  ++stats_.answered;
}

}  // namespace iommusim::bus
