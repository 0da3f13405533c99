// SPDX-License-Identifier: Apache-2.0
// The data of generated DMAs and the digests by which two runs are compared. Bytes of a write are a pure function of
// (key, IOVA); digests do not depend on the order in which data or responses come, nor on how DMAs were split.
#pragma once

#include <cstdint>
#include <cstring>

#include "translate/request.h"

namespace iommusim::devices {

/// A bijection that spreads every bit of `x` over all bits (the finalizer of MurmurHash3).
constexpr std::uint64_t scramble(std::uint64_t x) {
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdULL;
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  return x ^ (x >> 33);
}

/// What tells the writes of one (source, event) from others.
constexpr std::uint64_t pattern_key(std::uint32_t source, std::uint64_t event) {
  return scramble(scramble(source + 1) + event);
}

/// The 8 bytes of the pattern at an IOVA that is a multiple of 8, little-endian.
constexpr std::uint64_t pattern_word(std::uint64_t key, std::uint64_t iova) {
  const std::uint64_t x = (key ^ iova) * 0x9e3779b97f4a7c15ULL;
  return x ^ (x >> 29);
}

/// Calls visit(word address, offset in the word, data, bytes) for the pieces of [iova, iova + bytes) by aligned word.
template <class Byte, class Visit>
void visit_words(std::uint64_t iova, Byte* data, std::uint64_t bytes, Visit&& visit) {
  while (bytes > 0) {
    const std::uint64_t skip = iova % 8;
    const std::uint64_t piece = 8 - skip < bytes ? 8 - skip : bytes;
    visit(iova - skip, skip, data, piece);
    iova += piece;
    data += piece;
    bytes -= piece;
  }
}

inline void fill_pattern(std::uint64_t key, std::uint64_t iova, std::uint8_t* data, std::uint64_t bytes) {
  visit_words(iova, data, bytes, [key](std::uint64_t at, std::uint64_t skip, std::uint8_t* to, std::uint64_t piece) {
    const std::uint64_t word = pattern_word(key, at);
    if (piece == 8)
      std::memcpy(to, &word, 8);
    else
      std::memcpy(to, reinterpret_cast<const std::uint8_t*>(&word) + skip, piece);
  });
}

/// A sum over the aligned words, each with a weight of its address; parts of one read add up.
inline std::uint64_t checksum(std::uint64_t iova, const std::uint8_t* data, std::uint64_t bytes) {
  std::uint64_t sum = 0;
  visit_words(iova, data, bytes,
              [&](std::uint64_t at, std::uint64_t skip, const std::uint8_t* from, std::uint64_t piece) {
                std::uint64_t word = 0;
                if (piece == 8)
                  std::memcpy(&word, from, 8);
                else
                  std::memcpy(reinterpret_cast<std::uint8_t*>(&word) + skip, from, piece);
                sum += (word + 1) * (at * 0x9e3779b97f4a7c15ULL | 1);
              });
  return sum;
}

/// Collects the results of numbered DMAs.
struct Digest {
  std::uint64_t responses = 0;  ///< which request got which response
  std::uint64_t reads = 0;      ///< which request read which data

  void add_response(std::uint64_t number, translate::Response response) {
    responses += scramble(scramble(number) + static_cast<std::uint64_t>(response) + 1);
  }
  /// `sum` is the checksum of all bytes of the request.
  void add_read(std::uint64_t number, std::uint64_t sum) { reads += scramble(scramble(number) ^ sum); }
};

}  // namespace iommusim::devices
