// SPDX-License-Identifier: Apache-2.0
// Which IOTINVAL commands make the IOMMU forget a range of addresses: one a page, or one a naturally aligned piece
// where the hardware takes ranges (IOMMU 8.3). The pieces cover the range exactly.
#pragma once

#include "drivers/riscv/commands.h"

namespace iommusim::drivers::riscv {

/// The largest naturally aligned piece at `start` that ends by `last`, as log2 of its bytes; 12 unless `ranges`.
constexpr unsigned piece_log2(std::uint64_t start, std::uint64_t last, bool ranges) {
  unsigned log2 = 12;
  if (!ranges) return log2;
  while (log2 < 63) {
    const std::uint64_t size = 2ULL << log2;
    if ((start & (size - 1)) != 0 || last - start < size - 1) break;
    ++log2;
  }
  return log2;
}

/// Calls send(address, log2) for each piece of [start, last], whole pages, up to the first error.
template <class Send>
constexpr int for_each_piece(std::uint64_t start, std::uint64_t last, bool ranges, Send&& send) {
  start &= ~0xfffULL;
  for (;;) {
    const unsigned log2 = piece_log2(start, last, ranges);
    if (const int error = send(start, log2)) return error;
    const std::uint64_t end = start + ((1ULL << log2) - 1);
    if (end >= last) return 0;
    start = end + 1;
  }
}

/// Pieces of [start, last], counted up to `limit` + 1.
constexpr std::uint64_t pieces(std::uint64_t start, std::uint64_t last, bool ranges, std::uint64_t limit) {
  std::uint64_t count = 0;
  for_each_piece(start, last, ranges, [&](std::uint64_t, unsigned) { return ++count > limit ? 1 : 0; });
  return count;
}

}  // namespace iommusim::drivers::riscv
