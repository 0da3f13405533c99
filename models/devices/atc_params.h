// SPDX-License-Identifier: Apache-2.0
// Knobs of a device's address translation cache.
#pragma once

#include "timing/params.h"

namespace iommusim::devices {

struct AtcParams {
  bool present = false;
  std::uint32_t clock_mhz = 1000;
  timing::CacheParams cache{64, 0, timing::Policy::kLru, 1, 1};
  std::uint32_t outstanding = 64;
  std::uint32_t translation_requests = 16;
  std::uint64_t completion_time_out_ns = 50'000'000;
  bool pri = true;
  std::uint32_t page_requests = 32;
  std::uint32_t pages_per_group = 4;
  std::uint32_t page_request_retries = 16;
  std::uint64_t retry_ns = 500;
  std::uint32_t invalidation_depth = 32;
  std::uint64_t invalidation_ns = 100;
  std::uint32_t completion_messages = 1;
  bool answer_invalidations = true;

  template <class V>
  static constexpr void describe(V&& v) {
    using base::Unit;
    using params::Range;
    using P = AtcParams;
    v("present", &P::present, "the device has one, and uses it when software.ats is on");
    v("clock_mhz", &P::clock_mhz, Unit::kMhz, Range{1, 10000}, "clock of its look-ups");
    v.group("cache", &P::cache, "translations held");
    v("outstanding", &P::outstanding, Unit::kCount, Range{1, 65536}, "pieces of DMA of up to 4 KiB inside");
    v("translation_requests", &P::translation_requests, Unit::kCount, Range{1, 4096},
      "translation requests on their way");
    v("completion_time_out_ns", &P::completion_time_out_ns, Unit::kNs, Range{1, 1'000'000'000'000},
      "a translation request without its completion is given up, and its DMA with it");
    v("pri", &P::pri, "it asks software for pages that it may not access; else their DMA ends with an error");
    v("page_requests", &P::page_requests, Unit::kCount, Range{1, 512},
      "pages asked for and not answered (PRI: Outstanding Page Request Allocation)");
    v("pages_per_group", &P::pages_per_group, Unit::kCount, Range{1, 512}, "pages asked for at a time, in one group");
    v("page_request_retries", &P::page_request_retries, Unit::kCount, Range{1, 1'000'000},
      "page requests for one access before its DMA ends with an error");
    v("retry_ns", &P::retry_ns, Unit::kNs, Range{0, 1'000'000'000},
      "from a successful response to the next translation request");
    v("invalidation_depth", &P::invalidation_depth, Unit::kCount, Range{1, 32},
      "invalidation requests that software may have outstanding (ATS: Invalidate Queue Depth)");
    v("invalidation_ns", &P::invalidation_ns, Unit::kNs, Range{0, 1'000'000'000},
      "to serve one invalidation request, beside what it waits for");
    v("completion_messages", &P::completion_messages, Unit::kCount, Range{1, 8},
      "messages by which an invalidation is completed (ATS: Completion Count)");
    v("answer_invalidations", &P::answer_invalidations, "false: a broken device, which never completes one");
  }
};

}  // namespace iommusim::devices
