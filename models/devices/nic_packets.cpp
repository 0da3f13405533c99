// SPDX-License-Identifier: Apache-2.0
// Packets of the NIC: from the wire to memory, from memory to the wire, and their descriptors back.
#include <algorithm>

#include "devices/nic.h"

namespace iommusim::devices {

namespace nic_hw = device_hw::nic;

namespace {

/// Of a packet in digests.
std::uint64_t identity_of(const NicRing& ring, std::uint64_t number) {
  return std::uint64_t{ring.receive} << 63 | std::uint64_t{ring.queue} << 48 | number;
}

constexpr std::uint64_t kLongestPacket = 1 << 20;  // Model: a longer one stops the ring

}  // namespace

base::Picoseconds Nic::wire_time(std::uint64_t packets) const {
  const std::uint64_t bits = (std::uint64_t{params_.packet_bytes} + params_.overhead_bytes) * 8;
  return packets * bits * 1000 / params_.rate_gbps;
}

// From the wire.

base::Picoseconds Nic::take_arrivals(base::Picoseconds now) {
  if (!on_ || params_.rate_gbps == 0) return base::kNever;
  for (; arrivals_ < params_.receive_packets; ++arrivals_) {
    const base::Picoseconds at = started_ + wire_time(arrivals_ + 1);
    if (at > now) return at;
    arrive(*queues_[arrivals_ % params_.queues], at);
  }
  return base::kNever;
}

void Nic::arrive(Queue& queue, base::Picoseconds now) {
  --queue.to_come;
  ++queue.number;
  ++stats_.arrived;
  if (stats_.receive.first_begin == ~0ULL) stats_.receive.first_begin = now;
  if (queue.arrived.size() >= params_.fifo_packets) {
    ++stats_.dropped;
    ++queue.lost;
    return;
  }
  stats_.waiting.enter(bus::now_ps());
  queue.arrived.push_back({queue.number, now});
}

void Nic::begin_receiving(Queue& queue, base::Picoseconds now) {
  NicRing& ring = queue.receive;
  while (on_ && ring.on && !ring.error && ring.packets.size() < params_.window_packets) {
    std::uint64_t room = 0;
    std::size_t pieces = 0;
    while (pieces < ring.ready.size() && room < params_.packet_bytes) room += ring.ready[pieces++].descriptor.length;
    if (room < params_.packet_bytes) return fetch(ring, true);
    if (params_.rate_gbps == 0 && queue.to_come > 0) arrive(queue, now);
    if (queue.arrived.empty()) return;
    NicPacket packet;
    packet.number = queue.arrived.front().number;
    packet.begin = queue.arrived.front().at;
    packet.bytes = params_.packet_bytes;
    queue.arrived.pop_front();
    for (std::uint32_t offset = 0; offset < packet.bytes;) {
      NicPacket::Piece piece = ring.ready.front();
      ring.ready.pop_front();
      piece.offset = offset;
      piece.descriptor.length = std::min(piece.descriptor.length, packet.bytes - offset);
      offset += piece.descriptor.length;
      packet.pieces.push_back(piece);
    }
    ring.packets.push_back(std::move(packet));
    move_data(ring, ring.first_id + ring.packets.size() - 1);
  }
}

// To the wire.

void Nic::begin_sending(NicRing& ring, base::Picoseconds now) {
  while (ring.on && !ring.error && ring.packets.size() < params_.window_packets && !ring.ready.empty()) {
    NicPacket::Piece piece = ring.ready.front();
    ring.ready.pop_front();
    if (!ring.gathering.empty()) piece.offset = ring.gathering.back().offset + ring.gathering.back().descriptor.length;
    ring.gathering.push_back(piece);
    const std::uint64_t bytes = std::uint64_t{piece.offset} + piece.descriptor.length;
    if (bytes > kLongestPacket) return stop(ring);
    if ((piece.descriptor.flags & nic_hw::kEndOfPacket) == 0) continue;
    NicPacket packet;
    packet.number = ++ring.begun;
    packet.bytes = static_cast<std::uint32_t>(bytes);
    packet.begin = now;
    packet.pieces = std::move(ring.gathering);
    ring.gathering.clear();
    packet.data.resize(bytes);
    ring.packets.push_back(std::move(packet));
    stats_.transmit.first_begin = std::min<std::uint64_t>(stats_.transmit.first_begin, now);
    move_data(ring, ring.first_id + ring.packets.size() - 1);
  }
}

void Nic::send_to_wire(NicRing& ring, const NicPacket& packet) {
  if (packet.worst != translate::Response::kSuccess) return;
  if (packet.bytes < 16 || !packet_is_whole(ring.queue, packet.data.data(), packet.bytes)) {
    ++stats_.mismatched;
    return;
  }
  digest_.add_read(identity_of(ring, packet_number(packet.data.data())), checksum(0, packet.data.data(), packet.bytes));
}

// Between device and memory.

void Nic::move_data(NicRing& ring, std::uint64_t id) {
  NicPacket& packet = ring.packet(id);
  packet.under_way = static_cast<std::uint32_t>(packet.pieces.size());
  for (std::uint32_t i = 0; i < packet.pieces.size(); ++i) {
    std::uint64_t cookie = 0;
    Operation& operation = begin(Step::kData, ring, cookie);
    operation.packet = id;
    operation.piece = i;
    const NicPacket::Piece& piece = packet.pieces[i];
    dma_.push(ring.receive, piece.descriptor.address, piece.descriptor.length, cookie,
              ring.receive ? nullptr : packet.data.data() + piece.offset);
  }
}

void Nic::produce(const DmaRequest& request, std::uint64_t offset, std::uint8_t* data, std::uint32_t bytes) {
  const Operation& operation = operations_[request.cookie];
  const NicPacket& packet = operation.ring->packet(operation.packet);
  fill_packet(operation.ring->queue, packet.number, packet.pieces[operation.piece].offset + offset, data, bytes);
}

void Nic::completed(const DmaRequest& request, translate::Response response) {
  Operation& operation = operations_[request.cookie];
  NicRing& ring = *operation.ring;
  const bool ok = response == translate::Response::kSuccess;
  if (operation.step == Step::kFetch) {
    fetched(operation, ok);
  } else {
    NicPacket& packet = ring.packet(operation.packet);
    --packet.under_way;
    if (operation.step == Step::kData) {
      packet.worst = std::max(packet.worst, response);
    } else {
      if (!ok) stop(ring);
      if (packet.under_way == 0) ended(ring, packet, bus::now_ps());
    }
  }
  free_.push_back(request.cookie);
  wake_at(bus::now_ps());
}

// Back to software. Model: a packet that is sent keeps its descriptors until it has left on the wire.

base::Picoseconds Nic::write_back(NicRing& ring, base::Picoseconds now) {
  while (ring.writing < ring.packets.size()) {
    NicPacket& packet = ring.packets[ring.writing];
    if (packet.under_way != 0) return base::kNever;
    if (!ring.receive && params_.rate_gbps != 0) {
      if (packet.sent == base::kNever) {
        packet.sent = std::max(now, wire_free_) + wire_time(1);
        wire_free_ = packet.sent;
      }
      if (packet.sent > now) return packet.sent;
    }
    if (!ring.receive) send_to_wire(ring, packet);
    write_descriptors(ring, ring.first_id + ring.writing++);
  }
  return base::kNever;
}

/// One write for neighbours in the ring.
void Nic::write_descriptors(NicRing& ring, std::uint64_t id) {
  NicPacket& packet = ring.packet(id);
  const bool failed = packet.worst != translate::Response::kSuccess;
  for (std::size_t first = 0; first < packet.pieces.size();) {
    std::size_t end = first + 1;
    while (end < packet.pieces.size() && packet.pieces[end].index == packet.pieces[end - 1].index + 1) ++end;
    std::uint64_t cookie = 0;
    Operation& operation = begin(Step::kWriteBack, ring, cookie);
    operation.packet = id;
    operation.data.resize((end - first) * nic_hw::kDescriptorBytes);
    const std::uint64_t at = ring.base + std::uint64_t{packet.pieces[first].index} * nic_hw::kDescriptorBytes;
    for (std::size_t i = first; i < end; ++i) {
      nic_hw::Descriptor& descriptor = packet.pieces[i].descriptor;
      descriptor.status =
          nic_hw::kDone | (i + 1 == packet.pieces.size() ? nic_hw::kEnd : 0) | (failed ? nic_hw::kFailed : 0);
      const std::uint64_t words[2] = {descriptor.address, nic_hw::second_word(descriptor)};
      std::memcpy(operation.data.data() + (i - first) * nic_hw::kDescriptorBytes, words, sizeof words);
      ++(ring.receive ? stats_.receive : stats_.transmit).write_backs;
    }
    ++packet.under_way;
    first = end;
    dma_.push(true, at, operation.data.size(), cookie, operation.data.data());
  }
}

void Nic::ended(NicRing& ring, NicPacket& packet, base::Picoseconds now) {
  NicDirectionStats& stats = ring.receive ? stats_.receive : stats_.transmit;
  digest_.add_response(identity_of(ring, packet.number), packet.worst);
  stats.latency_ps.add(now - packet.begin);
  stats.last_end = now;
  if (packet.worst == translate::Response::kSuccess) {
    ++stats.packets;
    stats.payload_bytes += packet.bytes;
  } else {
    ++stats.failed;
  }
  if (ring.receive) stats_.waiting.leave(now);
  queues_[ring.queue]->news = true;
  packet.ended = true;
  for (; !ring.packets.empty() && ring.packets.front().ended; ring.packets.pop_front()) {
    ++ring.first_id;
    --ring.writing;
  }
}

}  // namespace iommusim::devices
