// SPDX-License-Identifier: Apache-2.0
// Buffers of some pages each, handed out in the order in which they came back, and mapped by one of three schemes: each
// time for its use, all together once, or each at its first use to stay so. A buffer is one piece for the device, or
// one for each page. close() leaves nothing mapped.
#pragma once

#include <deque>
#include <vector>

#include "drivers/rings/buffer_port.h"

namespace iommusim::drivers::rings {

enum class Mapping : std::uint8_t { kBuffer, kRing, kPool };

struct BufferOptions {
  Mapping mapping = Mapping::kBuffer;
  bool scattered = false;         ///< each page is mapped alone and is a piece of its own
  std::uint32_t pages = 1;        ///< of a buffer
  std::uint32_t count = 256;      ///< buffers
  std::uint64_t wrong_every = 0;  ///< a driver's bug: of so many uses one tells the device wrong IOVAs; 0: none
  unsigned prot = 0;
  unsigned cpu = 0;
};

struct Piece {
  std::uint64_t iova = 0;
  std::uint32_t bytes = 0;
};

class BufferPool {
 public:
  /// Its memory is that of `port` from `offset` on.
  BufferPool(BufferPort& port, std::uint64_t offset, const BufferOptions& options);

  /// Maps what is mapped beforehand. 0 or an errno; then nothing is mapped.
  int open();
  void close();

  bool available() const { return !free_.empty(); }
  /// Of a free buffer; its number. 0 or an errno.
  int take(std::uint32_t& number);
  void give_back(std::uint32_t number);

  /// What the device is to be told of a buffer that was taken.
  const std::vector<Piece>& pieces(std::uint32_t number) const {
    const Buffer& buffer = buffers_[number];
    return buffer.wrong.empty() ? buffer.pieces : buffer.wrong;
  }
  std::uint32_t pieces_each() const { return options_.scattered ? options_.pages : 1; }
  std::uint32_t buffer_bytes() const { return options_.pages * 4096; }
  void read(std::uint32_t number, std::uint64_t at, void* out, std::size_t bytes);
  void write(std::uint32_t number, std::uint64_t at, const void* in, std::size_t bytes);

  std::uint64_t maps() const { return maps_; }
  std::uint64_t unmaps() const { return unmaps_; }
  std::uint64_t wrong() const { return wrong_; }

 private:
  struct Buffer {
    std::vector<Piece> pieces;  ///< while it is mapped
    std::vector<Piece> wrong;   ///< what the device is told instead
    bool mapped = false;
  };
  std::uint64_t offset_of(std::uint32_t number) const { return offset_ + std::uint64_t{number} * buffer_bytes(); }
  int map(std::uint32_t number);
  void unmap(std::uint32_t number);
  int map_together();

  BufferPort& port_;
  std::uint64_t offset_;
  BufferOptions options_;
  std::vector<Buffer> buffers_;
  std::deque<std::uint32_t> free_;
  std::uint64_t together_ = 0;  ///< IOVA of all, when they were mapped by one call
  bool is_together_ = false;
  std::uint64_t uses_ = 0, maps_ = 0, unmaps_ = 0, wrong_ = 0;
};

}  // namespace iommusim::drivers::rings
