// SPDX-License-Identifier: Apache-2.0
// Packets whose content tells what they are: a sequence number, then bytes that follow from it and the queue. Whoever
// gets one can say whether it is whole.
#pragma once

#include "devices/pattern.h"

namespace iommusim::devices {

/// Bytes [offset, offset + bytes) of packet `number` of a queue.
inline void fill_packet(std::uint32_t queue, std::uint64_t number, std::uint64_t offset, std::uint8_t* data,
                        std::uint64_t bytes) {
  fill_pattern(pattern_key(queue, number), offset, data, bytes);
  for (std::uint64_t at = offset; at < 8 && at < offset + bytes; ++at)
    data[at - offset] = static_cast<std::uint8_t>(number >> (8 * at));
}

/// Of a packet of at least 8 bytes.
inline std::uint64_t packet_number(const std::uint8_t* data) {
  std::uint64_t number = 0;
  std::memcpy(&number, data, 8);
  return number;
}

inline bool packet_is_whole(std::uint32_t queue, const std::uint8_t* data, std::uint64_t bytes) {
  const std::uint64_t key = pattern_key(queue, packet_number(data));
  bool whole = true;
  visit_words(8, data + 8, bytes - 8,
              [&](std::uint64_t at, std::uint64_t, const std::uint8_t* from, std::uint64_t piece) {
                const std::uint64_t word = pattern_word(key, at);
                whole &= std::memcmp(from, &word, piece) == 0;
              });
  return whole;
}

/// How many of `packets`, dealt to `queues` in turn, are those of `queue`.
constexpr std::uint64_t share_of(std::uint64_t packets, std::uint32_t queues, std::uint32_t queue) {
  return (packets + queues - 1 - queue) / queues;
}

}  // namespace iommusim::devices
