// SPDX-License-Identifier: Apache-2.0
// The order in which translated DMA leaves the IOMMU. Translation ends in any order: a write that misses comes after a
// later one that hits. PCIe promises a device more (PCIe 2.4.1): within a stream, a write stays behind the writes
// before it, and a read does not pass them. Reads do not hold back anything.
// Whose requests make a stream is a choice: all that came through a port of the bus, or a function's. A write with the
// relaxed-ordering attribute does not wait, but what comes later waits for it.
// Invariant: what is in `out` of one stream is in order, but for relaxed writes; a piece that ends without leaving
// (a fault) holds nobody back.
#pragma once

#include <unordered_map>
#include <vector>

#include "base/choice.h"
#include "base/ring.h"
#include "tlm/dma_extension.h"
#include "tlm/growing_ring.h"

namespace iommusim::bus {

enum class DmaOrder : std::uint8_t { kRelaxed, kPort, kFunction };
inline constexpr base::Choice<DmaOrder> kDmaOrders[] = {
    {"relaxed", "as translations end: a hit passes a miss", DmaOrder::kRelaxed},
    {"port", "no request passes an earlier write that came through the same port of the bus", DmaOrder::kPort},
    {"function", "no request passes an earlier write of the same function", DmaOrder::kFunction},
};

class OutputOrder {
 public:
  OutputOrder(DmaOrder kind, std::size_t pieces) : kind_(kind), pieces_(kind == DmaOrder::kRelaxed ? 0 : pieces) {}

  bool on() const { return kind_ != DmaOrder::kRelaxed; }

  // All that follows: only when on(). Pieces are numbers below `pieces`.

  /// A piece goes into translation. `port` tells sockets of the IOMMU apart.
  void begin(std::uint32_t piece, const Payload& payload, std::uint32_t port);
  /// It is translated: it, and what it held back, goes to `out` as soon as order allows.
  void translated(std::uint32_t piece, base::Ring<std::uint32_t>& out);
  /// It ends otherwise.
  void dropped(std::uint32_t piece, base::Ring<std::uint32_t>& out);
  /// Pieces that waited for an earlier write, so far.
  std::uint64_t held() const { return held_; }

 private:
  struct Piece {
    std::uint32_t stream = 0;
    std::uint64_t number = 0;  ///< in the stream
    std::uint64_t after = 0;   ///< writes of the stream that must have left
    std::uint64_t write = 0;   ///< of a write: its number among them
    bool is_write = false;
  };
  struct Stream {
    std::uint64_t pieces = 0, writes = 0;  ///< begun
    std::uint64_t left = 0;                ///< writes that left, without a gap
    GrowingRing<std::uint8_t> gone;        ///< those from `left` on: 1 when it left
    GrowingRing<std::uint32_t> waiting;    ///< translated, oldest first
  };

  std::uint32_t stream_of(std::uint64_t key);
  void leave(Stream& stream, const Piece& piece);
  void release(Stream& stream, base::Ring<std::uint32_t>& out);

  DmaOrder kind_;
  std::vector<Piece> pieces_;
  std::vector<Stream> streams_;
  std::unordered_map<std::uint64_t, std::uint32_t> by_key_;
  std::uint64_t last_key_ = ~0ULL;
  std::uint32_t last_stream_ = 0;
  std::uint64_t held_ = 0;
};

}  // namespace iommusim::bus
