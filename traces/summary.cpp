// SPDX-License-Identifier: Apache-2.0
#include "traces/summary.h"

#include <algorithm>
#include <map>

#include "traces/page_map.h"

namespace iommusim::traces {
namespace {

constexpr std::uint64_t kSuperpage = 2ULL << 20;

class Summarizer {
 public:
  explicit Summarizer(const std::string& file) { summary_.file = file; }

  void add(const Event& event) {
    if (summary_.events++ == 0) summary_.first_time_ns = event.time_ns;
    summary_.last_time_ns = event.time_ns;
    summary_.counts.add(event);
    SourceSummary& source = sources_[event.source.key()];
    source.source = event.source;
    source.counts.add(event);
    const std::uint64_t first = event.iova >> base::kPageShift;
    const std::uint64_t last = event.bytes == 0 ? first : event.last() >> base::kPageShift;
    if (is_access(event.op))
      access(event, source, first, last);
    else if (event.op == Op::kMap)
      map(event, first, last);
    else if (event.op == Op::kUnmap)
      unmap(event, first, last);
    else
      invalidate(event, first, last);
  }

  Summary finish() {
    for (const auto& [key, source] : sources_) summary_.sources.push_back(source);
    summary_.live_pages_at_end = live_.pages();
    summary_.distinct_pages = touched_.pages();
    return std::move(summary_);
  }

 private:
  void access(const Event& event, SourceSummary& source, std::uint64_t first, std::uint64_t last) {
    const std::uint32_t space = event.source.key();
    const std::uint64_t pages = last - first + 1;
    summary_.page_accesses += pages;
    if (pages > 1) ++summary_.page_spanning_events;
    if (!touched_.covers(space, first, last)) source.distinct_pages += pages - touched_.assign(space, first, last, 0);
    std::uint64_t mapped = 0;
    const std::uint64_t pa_page = event.pa >> base::kPageShift;
    live_.visit(space, first, last, [&](std::uint64_t from, std::uint64_t to, std::uint64_t target) {
      mapped += to - from + 1;
      if (event.has_pa && target != pa_page + (from - first)) summary_.wrong_pa_accesses += to - from + 1;
    });
    summary_.unmapped_accesses += pages - mapped;
  }
  void map(const Event& event, std::uint64_t first, std::uint64_t last) {
    const std::uint32_t space = event.source.key();
    if (event.time_ns == 0) ++summary_.snapshot_maps;
    if (((event.iova | event.bytes | event.pa) & (kSuperpage - 1)) == 0) ++summary_.superpage_maps;
    summary_.mapped_over += live_.assign(space, first, last, event.pa >> base::kPageShift);
    summary_.max_live_pages = std::max(summary_.max_live_pages, live_.pages());
    summary_.remapped_stale += stale_.erase(space, first, last);
  }
  void unmap(const Event& event, std::uint64_t first, std::uint64_t last) {
    const std::uint32_t space = event.source.key();
    summary_.unmapped_unmapped += last - first + 1 - live_.erase(space, first, last);
    stale_.assign(space, first, last, 0);
    summary_.max_stale_pages = std::max(summary_.max_stale_pages, stale_.pages());
  }
  void invalidate(const Event& event, std::uint64_t first, std::uint64_t last) {
    if (event.bytes == 0) {
      ++summary_.domain_invalidations;
      last = ~0ULL >> base::kPageShift;
    }
    stale_.erase(event.source.key(), first, last);
  }

  Summary summary_;
  std::map<std::uint32_t, SourceSummary> sources_;
  PageMap touched_;
  PageMap live_;
  PageMap stale_;
};

}  // namespace

Summary summarize(Reader& reader) {
  Summarizer summarizer(reader.name());
  Event event;
  while (reader.next(event)) summarizer.add(event);
  return summarizer.finish();
}

Summary summarize(const std::string& path) {
  Reader reader(path);
  return summarize(reader);
}

}  // namespace iommusim::traces
