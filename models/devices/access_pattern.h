// SPDX-License-Identifier: Apache-2.0
// What a generator asks for: a pattern tells one access after the other, as offsets into streams. A stream is a window
// of memory of its own in one of the generator's address spaces; where it lies is for software to say. A pattern knows
// no time and no addresses, so what is asked depends on parameters and seed alone.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bits.h"
#include "base/types.h"

namespace iommusim::devices {

struct Access {
  std::uint32_t stream = 0;
  std::uint64_t offset = 0;      ///< in the stream
  std::uint32_t bytes = 0;       ///< at least 1, inside the stream
  bool write = false;            ///< the device writes memory
  bool after_all = false;        ///< begins when all accesses before it were answered ...
  bool intervals_begin = false;  ///< with after_all: the intervals to those that follow count from this one
  std::uint64_t think_ns = 0;    ///< ... and this much later
};

struct Stream {
  std::uint32_t space = 0;   ///< its address space, each that of a function: numbered from 0, none is left out
  std::uint64_t offset = 0;  ///< from the first IOVA of the space's window, a multiple of 4 KiB
  std::uint64_t bytes = 0;
};

/// From a stream of this length to the next one beside it: superpages stay possible where there is room for one.
constexpr std::uint64_t stream_step(std::uint64_t bytes) {
  constexpr std::uint64_t kSuperpage = 2ULL << 20;
  return base::align_up(bytes, bytes < kSuperpage ? base::kPageSize : kSuperpage);
}

class AccessPattern {
 public:
  virtual ~AccessPattern() = default;
  virtual Access next() = 0;
  const std::vector<Stream>& streams() const { return streams_; }
  std::uint32_t spaces() const {
    std::uint32_t last = 0;
    for (const Stream& stream : streams_) last = last < stream.space ? stream.space : last;
    return last + 1;
  }

 protected:
  std::vector<Stream> streams_;  ///< does not change after construction
};

}  // namespace iommusim::devices
