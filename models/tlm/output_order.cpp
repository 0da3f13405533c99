// SPDX-License-Identifier: Apache-2.0
#include "tlm/output_order.h"

namespace iommusim::bus {

std::uint32_t OutputOrder::stream_of(std::uint64_t key) {
  if (key == last_key_) return last_stream_;
  const auto [found, is_new] = by_key_.try_emplace(key, static_cast<std::uint32_t>(streams_.size()));
  if (is_new) streams_.emplace_back();
  last_key_ = key;
  last_stream_ = found->second;
  return last_stream_;
}

void OutputOrder::begin(std::uint32_t number, const Payload& payload, std::uint32_t port) {
  const DmaExtension& dma = dma_of(payload);
  const std::uint64_t place = std::uint64_t{port} << 32;
  Piece& piece = pieces_[number];
  piece.stream = stream_of(kind_ == DmaOrder::kPort ? place | dma.requester_port : place | dma.device.value);
  Stream& stream = streams_[piece.stream];
  piece.number = stream.pieces++;
  piece.is_write = payload.is_write();
  piece.after = piece.is_write && dma.relaxed_ordering ? 0 : stream.writes;
  if (!piece.is_write) return;
  piece.write = stream.writes++;
  stream.gone.push(0);
}

void OutputOrder::leave(Stream& stream, const Piece& piece) {
  if (!piece.is_write) return;
  stream.gone.at(piece.write - stream.left) = 1;
  for (; !stream.gone.empty() && stream.gone.front() != 0; stream.gone.pop()) ++stream.left;
}

void OutputOrder::release(Stream& stream, base::Ring<std::uint32_t>& out) {
  while (!stream.waiting.empty() && pieces_[stream.waiting.front()].after <= stream.left) {
    const std::uint32_t number = stream.waiting.front();
    stream.waiting.pop();
    out.push(number);
    leave(stream, pieces_[number]);
  }
}

void OutputOrder::translated(std::uint32_t number, base::Ring<std::uint32_t>& out) {
  const Piece& piece = pieces_[number];
  Stream& stream = streams_[piece.stream];
  if (piece.after > stream.left) {
    ++held_;
    stream.waiting.insert(number,
                          [this](std::uint32_t a, std::uint32_t b) { return pieces_[a].number < pieces_[b].number; });
    return;
  }
  out.push(number);
  leave(stream, piece);
  release(stream, out);
}

void OutputOrder::dropped(std::uint32_t number, base::Ring<std::uint32_t>& out) {
  Stream& stream = streams_[pieces_[number].stream];
  leave(stream, pieces_[number]);
  release(stream, out);
}

}  // namespace iommusim::bus
