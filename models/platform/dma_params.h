// SPDX-License-Identifier: Apache-2.0
// The kernel-side DMA API of a system (sw/dma), for stack kernel. Defaults as in Linux.
#pragma once

#include "dma/options.h"
#include "params/describe.h"

namespace iommusim::platform {

/// kExplicit is not offered: only a replay knows when to invalidate (devices.*.replay.invalidations).
inline constexpr base::Choice<dma::Invalidation> kInvalidations[] = {
    {"strict", "before an unmap returns", dma::Invalidation::kStrict},
    {"deferred", "later, one flush of the address space for many unmaps", dma::Invalidation::kDeferred},
};

struct IovaParams {
  std::uint32_t mask_bits = 64;
  std::uint32_t first_bits = 32;
  std::uint32_t cached_orders = 6;
  std::uint32_t magazine_entries = 127;
  std::uint32_t depot_magazines = 32;

  template <class V>
  static constexpr void describe(V&& v) {
    using base::Unit;
    using params::Range;
    using P = IovaParams;
    v("mask_bits", &P::mask_bits, Unit::kBits, Range{16, 64}, "bits of an address that devices can send");
    v("first_bits", &P::first_bits, Unit::kBits, Range{16, 64},
      "addresses of so many bits are looked for first, until there are none");
    v("cached_orders", &P::cached_orders, Unit::kCount, Range{0, 16},
      "ranges of 2^0 to 2^(n-1) pages are cached when they are freed; 0: none");
    v("magazine_entries", &P::magazine_entries, Unit::kCount, Range{1, 65536},
      "ranges in a magazine; a processor has two for each size");
    v("depot_magazines", &P::depot_magazines, Unit::kCount, Range{0, 65536},
      "full magazines of each size that all processors share");
  }
};

struct DmaParams {
  dma::Invalidation invalidation = dma::Invalidation::kStrict;
  std::uint32_t cpus = 1;
  std::uint32_t queue_entries = 256;
  std::uint64_t queue_timeout_ns = 10'000'000;
  IovaParams iova{};

  template <class V>
  static constexpr void describe(V&& v) {
    using base::Unit;
    using params::Range;
    using P = DmaParams;
    v("invalidation", &P::invalidation, kInvalidations, "when the IOMMU forgets what a driver unmapped");
    v("cpus", &P::cpus, Unit::kCount, Range{1, 1024}, "processors that drivers run on: IOVA caches and flush queues");
    v("queue_entries", &P::queue_entries, Unit::kCount, Range{1, 1 << 20},
      "deferred: unmaps that wait in the flush queue of a processor; a full one is flushed at once");
    v("queue_timeout_ns", &P::queue_timeout_ns, Unit::kNs, Range{1, 1'000'000'000'000},
      "deferred: from the first unmap that waits to the flush");
    v.group("iova", &P::iova, "the IOVA allocator");
  }
};

/// `call_ns`: software.cost.dma_call_ns.
inline dma::Options dma_options_of(const DmaParams& params, std::uint64_t call_ns) {
  const auto last_of = [](std::uint32_t bits) { return bits >= 64 ? ~0ULL : (1ULL << bits) - 1; };
  dma::Options options;
  options.invalidation = params.invalidation;
  options.cpus = params.cpus;
  options.queue_entries = params.queue_entries;
  options.queue_timeout_ns = params.queue_timeout_ns;
  options.call_ns = call_ns;
  options.iova.dma_mask = last_of(params.iova.mask_bits);
  options.iova.first_last = last_of(params.iova.first_bits);
  options.iova.cached_orders = params.iova.cached_orders;
  options.iova.magazine_entries = params.iova.magazine_entries;
  options.iova.depot_magazines = params.iova.depot_magazines;
  return options;
}

}  // namespace iommusim::platform
