// SPDX-License-Identifier: Apache-2.0
// How a trace is replayed.
#pragma once

#include "params/describe.h"

namespace iommusim::devices {

enum class ReplayOrder : std::uint8_t { kConflicts, kNone };
inline constexpr base::Choice<ReplayOrder> kReplayOrders[] = {
    {"conflicts", "an access waits for earlier ones that overlap it, if one of the two writes",
     ReplayOrder::kConflicts},
    {"none", "accesses in flight may overtake each other whatever they touch", ReplayOrder::kNone},
};

enum class ReplayTiming : std::uint8_t { kAsap, kTrace };
inline constexpr base::Choice<ReplayTiming> kReplayTimings[] = {
    {"asap", "each event as soon as the ones before it allow", ReplayTiming::kAsap},
    {"trace", "no event before its own time, scaled by time_scale", ReplayTiming::kTrace},
};

enum class UnmappedAccess : std::uint8_t { kError, kFault, kSkip };
inline constexpr base::Choice<UnmappedAccess> kUnmappedAccesses[] = {
    {"error", "the run ends with the line of the trace", UnmappedAccess::kError},
    {"fault", "the device does it, the IOMMU faults", UnmappedAccess::kFault},
    {"skip", "it is counted and left out", UnmappedAccess::kSkip},
};

enum class ReplayInvalidations : std::uint8_t { kOwn, kRecorded };
inline constexpr base::Choice<ReplayInvalidations> kReplayInvalidations[] = {
    {"own", "software invalidates what it unmaps, by its own policy; I lines are passed over",
     ReplayInvalidations::kOwn},
    {"recorded", "the I lines are executed, and nothing else invalidates; needs software.stack kernel",
     ReplayInvalidations::kRecorded},
};

enum class ReplayIovas : std::uint8_t { kRecorded, kOwn };
inline constexpr base::Choice<ReplayIovas> kReplayIovas[] = {
    {"recorded", "those of the trace", ReplayIovas::kRecorded},
    {"own", "software chooses; the device's accesses follow; needs software.stack kernel", ReplayIovas::kOwn},
};

struct TraceReplayParams {
  ReplayOrder order = ReplayOrder::kConflicts;
  ReplayTiming timing = ReplayTiming::kAsap;
  double time_scale = 1.0;
  UnmappedAccess unmapped = UnmappedAccess::kError;
  ReplayInvalidations invalidations = ReplayInvalidations::kOwn;
  ReplayIovas iovas = ReplayIovas::kRecorded;
  std::uint32_t outstanding = 32;
  std::uint32_t split_bytes = 4096;
  std::uint64_t max_events = 0;

  template <class V>
  static constexpr void describe(V&& v) {
    using base::Unit;
    using params::Range;
    using P = TraceReplayParams;
    v("order", &P::order, kReplayOrders, "which accesses wait for which");
    v("timing", &P::timing, kReplayTimings, "when events happen");
    v("time_scale", &P::time_scale, Unit::kRatio, Range{0, 1'000'000}, "of the trace's time; below 1 is faster");
    v("unmapped", &P::unmapped, kUnmappedAccesses, "an access that no M line covers");
    v("invalidations", &P::invalidations, kReplayInvalidations, "what invalidates");
    v("iovas", &P::iovas, kReplayIovas, "where mappings are");
    v("outstanding", &P::outstanding, Unit::kCount, Range{1, 65536},
      "accesses in flight, all sources; 1 is strictly in the order of the trace");
    v("split_bytes", &P::split_bytes, Unit::kBytes, Range{64, 4096}, "longest transaction on the bus, a power of two");
    v("max_events", &P::max_events, Unit::kCount, Range{0, ~0ULL}, "end after this many lines; 0 is all");
  }
};

}  // namespace iommusim::devices
