// SPDX-License-Identifier: Apache-2.0
// Knobs of what lies before and beside the pipeline: the input queue, prefetching, what invalidations do.
#pragma once

#include "timing/cache_params.h"

namespace iommusim::timing {

enum class WhenFull : std::uint8_t { kStall, kDrop };
inline constexpr base::Choice<WhenFull> kWhenFull[] = {
    {"stall", "the bus is held back", WhenFull::kStall},
    {"drop", "a request that finds no room is answered with an error at once", WhenFull::kDrop},
};

struct IngressParams {
  std::uint32_t depth = 16;
  std::uint32_t initiation_cycles = 1;
  std::uint32_t pick_cycles = 0;
  std::uint32_t error_cycles = 0;
  WhenFull when_full = WhenFull::kStall;
  bool hit_under_miss = true;
  bool page_register = false;
  std::uint32_t write_buffer_bytes = 0;

  template <class V>
  static constexpr void describe(V&& v) {
    v("depth", &IngressParams::depth, Unit::kCount, Range{1, 4096},
      "requests that wait for the pipeline before the bus is held back");
    v("initiation_cycles", &IngressParams::initiation_cycles, Unit::kCycle, Range{0, 64},
      "between two requests entering the pipeline; 0: any number in one cycle");
    v("pick_cycles", &IngressParams::pick_cycles, Unit::kCycle, Range{0, 64},
      "from the arrival of a request to its first look-up");
    v("error_cycles", &IngressParams::error_cycles, Unit::kCycle, Range{0, 1024},
      "from the release of a request that faults to its error response");
    v("when_full", &IngressParams::when_full, kWhenFull, "what a request meets when the queue or all slots are taken");
    v("hit_under_miss", &IngressParams::hit_under_miss,
      "requests enter the pipeline while another's miss is served; false: they wait for its end");
    v("page_register", &IngressParams::page_register,
      "a request of the page that its port asked for last needs no look-up of its own");
    v("write_buffer_bytes", &IngressParams::write_buffer_bytes, Unit::kBytes, Range{0, 1 << 24},
      "data of writes that wait for their translation; beyond it writes are held back; 0: no limit");
  }
};

enum class Prefetch : std::uint8_t { kNone, kNextPage };
inline constexpr base::Choice<Prefetch> kPrefetches[] = {
    {"none", "no page is walked before it is asked for", Prefetch::kNone},
    {"next_page", "the pages after one that missed", Prefetch::kNextPage},
};

struct PrefetchParams {
  Prefetch policy = Prefetch::kNone;
  std::uint32_t degree = 1;
  bool on_hit = false;
  std::uint32_t depth = 16;

  template <class V>
  static constexpr void describe(V&& v) {
    v("policy", &PrefetchParams::policy, kPrefetches, "which pages are walked before they are asked for");
    v("degree", &PrefetchParams::degree, Unit::kCount, Range{1, 64}, "how many pages after the one that missed");
    v("on_hit", &PrefetchParams::on_hit, "the first hit on a page that was prefetched prefetches, too");
    v("depth", &PrefetchParams::depth, Unit::kCount, Range{1, 4096},
      "pages to be prefetched that wait for a walker which no request wants");
  }
};

enum class InvalidationScope : std::uint8_t { kExact, kSpace, kEverything };
inline constexpr base::Choice<InvalidationScope> kInvalidationScopes[] = {
    {"exact", "what the command names", InvalidationScope::kExact},
    {"space", "all of the address spaces that the command names, whatever address it gives", InvalidationScope::kSpace},
    {"everything", "all entries, whatever the command names", InvalidationScope::kEverything},
};

/// IOMMU 3.1.1: more than a command names may go at any time, less may not.
struct InvalidationParams {
  InvalidationScope scope = InvalidationScope::kExact;
  bool leaf_clears_walk_cache = false;
  std::uint32_t cycles = 0;
  std::uint32_t entry_cycles = 0;

  template <class V>
  static constexpr void describe(V&& v) {
    v("scope", &InvalidationParams::scope, kInvalidationScopes,
      "what IOTINVAL removes from the IOTLB and the caches of page tables");
    v("leaf_clears_walk_cache", &InvalidationParams::leaf_clears_walk_cache,
      "IOTINVAL of an address removes the non-leaf entries above the address as well");
    v("cycles", &InvalidationParams::cycles, Unit::kCycle, Range{0, 1 << 20},
      "an invalidation takes, on top of queues.command_finish_cycles");
    v("entry_cycles", &InvalidationParams::entry_cycles, Unit::kCycle, Range{0, 1024},
      "and for each entry of the caches that it searches");
  }
};

}  // namespace iommusim::timing
