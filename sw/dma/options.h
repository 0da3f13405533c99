// SPDX-License-Identifier: Apache-2.0
// Choices of the kernel-side DMA API. The defaults are those of Linux: caches of the IOVA allocator for 1 to 32 pages,
// two magazines of 127 numbers a processor and size, a depot of 32 more; flush queues of 256 entries and 10 ms.
#pragma once

#include <cstdint>

namespace iommusim::dma {

/// When the hardware forgets what was unmapped.
enum class Invalidation : std::uint8_t {
  kStrict,    ///< before unmap() returns
  kDeferred,  ///< later, for many unmaps at once; until then the device may still reach the pages
  kExplicit,  ///< when the caller says so: DmaDomain::invalidate(); for replays of what another system did
};

struct IovaOptions {
  /// An address up to here is looked for first: devices that can only send 32 bits, and shorter TLP headers.
  std::uint64_t first_last = 0xffffffff;
  /// The device cannot send addresses above this.
  std::uint64_t dma_mask = ~0ULL;
  std::uint32_t cached_orders = 6;       ///< sizes of 2^0 to 2^(n-1) pages are cached; 0: no caches
  std::uint32_t magazine_entries = 127;  ///< numbers in a magazine, at least 1
  std::uint32_t depot_magazines = 32;    ///< full magazines that the depot of one size holds
};

struct Options {
  Invalidation invalidation = Invalidation::kStrict;
  /// Processors that callers name, from 0 on: each has its own caches and its own flush queue.
  std::uint32_t cpus = 1;
  std::uint32_t queue_entries = 256;            ///< of one flush queue, at least 1; a full one is flushed at once
  std::uint64_t queue_timeout_ns = 10'000'000;  ///< from the first entry to the flush
  std::uint64_t call_ns = 0;                    ///< processor time that a map or unmap is charged
  IovaOptions iova{};
};

}  // namespace iommusim::dma
