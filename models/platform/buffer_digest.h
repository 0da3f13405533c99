// SPDX-License-Identifier: Apache-2.0
// What DMA buffers hold, as one number that two runs can compare: the sum over buffers of a hash of (address space,
// IOVA, contents), taken when a buffer is unmapped, before anybody can use its memory for something else. A page that
// is mapped elsewhere too (small packets share pages) may be written there at that moment: it counts when its last
// mapping goes.
#pragma once

#include <cstdint>
#include <map>
#include <unordered_map>

#include "hal/hardware.h"

namespace iommusim::platform {

class BufferDigest {
 public:
  explicit BufferDigest(bool enabled) : enabled_(enabled) {}

  /// [iova, iova + bytes) of `space` lies at `spa`.
  void mapped(std::uint32_t space, std::uint64_t iova, std::uint64_t bytes, std::uint64_t spa);
  /// Takes in every buffer of `space` inside the range.
  void unmapping(std::uint32_t space, std::uint64_t iova, std::uint64_t bytes, hal::Memory& memory);
  /// All that are left.
  void finish(hal::Memory& memory);
  std::uint64_t value() const { return value_; }

 private:
  struct Buffer {
    std::uint64_t bytes;
    std::uint64_t spa;
  };
  using Key = std::pair<std::uint32_t, std::uint64_t>;
  void take(const Key& key, const Buffer& buffer, hal::Memory& memory);

  bool enabled_;
  std::map<Key, Buffer> live_;
  std::unordered_map<std::uint64_t, std::uint32_t> mappings_;  // of each physical page
  std::uint64_t value_ = 0;
};

}  // namespace iommusim::platform
