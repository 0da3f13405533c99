// SPDX-License-Identifier: Apache-2.0
// The two renderings of a Summary. The scalar figures are listed once, here, for both.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "traces/summary.h"

namespace iommusim::traces {
namespace {

struct Figure {
  const char* key;
  const char* label;
  std::uint64_t Summary::*value;
};
constexpr Figure kFigures[] = {
    {"first_time_ns", "first event, ns", &Summary::first_time_ns},
    {"last_time_ns", "last event, ns", &Summary::last_time_ns},
    {"page_accesses", "pages accessed (once an event)", &Summary::page_accesses},
    {"page_spanning_events", "accesses of several pages", &Summary::page_spanning_events},
    {"distinct_pages", "distinct 4 KiB pages accessed", &Summary::distinct_pages},
    {"domain_invalidations", "invalidations of a whole domain", &Summary::domain_invalidations},
    {"snapshot_maps", "mappings made at time 0", &Summary::snapshot_maps},
    {"superpage_maps", "mappings of 2 MiB pages", &Summary::superpage_maps},
    {"max_live_pages", "most 4 KiB pages mapped at once", &Summary::max_live_pages},
    {"live_pages_at_end", "4 KiB pages mapped at the end", &Summary::live_pages_at_end},
    {"max_stale_pages", "most pages unmapped, not invalidated", &Summary::max_stale_pages},
    {"unmapped_accesses", "page accesses without a mapping", &Summary::unmapped_accesses},
    {"wrong_pa_accesses", "page accesses with another pa", &Summary::wrong_pa_accesses},
    {"mapped_over", "pages mapped while mapped", &Summary::mapped_over},
    {"unmapped_unmapped", "pages unmapped while not mapped", &Summary::unmapped_unmapped},
    {"remapped_stale", "pages mapped before invalidated", &Summary::remapped_stale},
};
constexpr const char* kOpNames[kOps] = {"reads", "writes", "accesses", "maps", "unmaps", "invalidations"};

nlohmann::ordered_json counts_json(const OpCounts& counts) {
  nlohmann::ordered_json out;
  for (unsigned op = 0; op < kOps; ++op)
    out[std::string(1, kOpLetters[op])] = {{"events", counts.events[op]}, {"bytes", counts.bytes[op]}};
  return out;
}

std::string counts_text(const OpCounts& counts) {
  std::string out;
  for (unsigned op = 0; op < kOps; ++op)
    if (counts.events[op] != 0)
      out += fmt::format("  {} {:<14}{:>12} events{:>18} bytes\n", kOpLetters[op], kOpNames[op], counts.events[op],
                         counts.bytes[op]);
  return out;
}

}  // namespace

std::string to_text(const Summary& summary) {
  const double seconds = static_cast<double>(summary.last_time_ns - summary.first_time_ns) * 1e-9;
  std::string out = fmt::format("{}: {} events in {:.6f} s\n", summary.file, summary.events, seconds);
  out += counts_text(summary.counts);
  for (const Figure& figure : kFigures) out += fmt::format("  {:<38}{:>20}\n", figure.label, summary.*figure.value);
  for (const SourceSummary& source : summary.sources) {
    out += fmt::format("source {}: {} distinct 4 KiB pages\n", to_string(source.source), source.distinct_pages);
    out += counts_text(source.counts);
  }
  return out;
}

std::string to_json(const Summary& summary) {
  nlohmann::ordered_json out = {{"schema", 1}, {"file", summary.file}, {"events", summary.events}};
  out["ops"] = counts_json(summary.counts);
  for (const Figure& figure : kFigures) out[figure.key] = summary.*figure.value;
  for (const SourceSummary& source : summary.sources)
    out["sources"][to_string(source.source)] = {{"distinct_pages", source.distinct_pages},
                                                {"ops", counts_json(source.counts)}};
  return out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace iommusim::traces
