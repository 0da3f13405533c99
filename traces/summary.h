// SPDX-License-Identifier: Apache-2.0
// What a trace contains: counts by operation and source, volume, footprint, and whether its accesses, mappings and
// invalidations agree with one another. Memory grows with the address ranges that are used, not with the events.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "traces/reader.h"

namespace iommusim::traces {

/// Events and bytes by operation.
struct OpCounts {
  std::array<std::uint64_t, kOps> events{};
  std::array<std::uint64_t, kOps> bytes{};

  void add(const Event& event) {
    ++events[static_cast<unsigned>(event.op)];
    bytes[static_cast<unsigned>(event.op)] += event.bytes;
  }
  std::uint64_t events_of(Op op) const { return events[static_cast<unsigned>(op)]; }
  std::uint64_t bytes_of(Op op) const { return bytes[static_cast<unsigned>(op)]; }
};

struct SourceSummary {
  Source source;
  OpCounts counts;
  std::uint64_t distinct_pages = 0;
};

/// Pages are of 4 KiB and belong to their source: the same IOVA of two sources is two pages.
struct Summary {
  std::string file;
  std::uint64_t events = 0;
  OpCounts counts;
  std::vector<SourceSummary> sources;  ///< ascending
  std::uint64_t first_time_ns = 0;
  std::uint64_t last_time_ns = 0;
  std::uint64_t page_accesses = 0;         ///< pages touched, once an R, W or X event
  std::uint64_t page_spanning_events = 0;  ///< R, W and X events that touch more than one page
  std::uint64_t distinct_pages = 0;        ///< touched by R, W or X
  std::uint64_t domain_invalidations = 0;  ///< I events with bytes 0
  std::uint64_t snapshot_maps = 0;         ///< M events at time 0
  std::uint64_t superpage_maps = 0;        ///< M events of 2 MiB pages: iova, bytes and pa are multiples of 2 MiB
  std::uint64_t max_live_pages = 0;
  std::uint64_t live_pages_at_end = 0;
  std::uint64_t max_stale_pages = 0;  ///< most pages unmapped and not invalidated yet
  // Contradictions inside the trace, in pages; a sound capture has none.
  std::uint64_t unmapped_accesses = 0;  ///< access to a page that no M covers
  std::uint64_t wrong_pa_accesses = 0;  ///< access whose pa is not the one that M gave
  std::uint64_t mapped_over = 0;        ///< M of a page that is mapped
  std::uint64_t unmapped_unmapped = 0;  ///< U of a page that is not mapped
  std::uint64_t remapped_stale = 0;     ///< M of a page that was unmapped and not invalidated yet
};

/// Reads the whole trace; throws base::InputError for a file that breaks the format.
Summary summarize(const std::string& path);
Summary summarize(Reader& reader);

/// A table for people, and the same figures as a JSON object (keys as the members above; "schema": 1).
std::string to_text(const Summary& summary);
std::string to_json(const Summary& summary);

}  // namespace iommusim::traces
