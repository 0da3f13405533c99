// SPDX-License-Identifier: Apache-2.0
#include "traces/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "traces/page_map.h"
#include "traces/reader.h"
#include "traces/scan.h"
#include "traces/writer.h"

namespace iommusim::traces {
namespace {

/// The mappings that are live at the cut.
class Snapshot {
 public:
  void apply(const Event& event) {
    if (event.op != Op::kMap && event.op != Op::kUnmap) return;
    const std::uint64_t first = event.iova >> base::kPageShift;
    const std::uint64_t last = event.last() >> base::kPageShift;
    if (event.op == Op::kMap)
      live_.assign(event.source.key(), first, last, event.pa >> base::kPageShift);
    else
      live_.erase(event.source.key(), first, last);
  }
  /// In the order in which they were made, so that a copy without a cut is a copy.
  std::vector<Event> events() const {
    std::vector<std::pair<std::uint64_t, Event>> ordered;
    for (const auto& [key, range] : live_.ranges()) {
      Event event;
      event.source = Source::from_key(key.first);
      event.op = Op::kMap;
      event.iova = key.second << base::kPageShift;
      event.bytes = (range.last - key.second + 1) << base::kPageShift;
      event.pa = range.target << base::kPageShift;
      event.has_pa = true;
      ordered.emplace_back(range.order, event);
    }
    std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<Event> out;
    out.reserve(ordered.size());
    for (const auto& [order, event] : ordered) out.push_back(event);
    return out;
  }

 private:
  PageMap live_;
};

std::string describe_cut(const std::string& in, const ConvertOptions& options, std::size_t snapshot_maps) {
  std::string sources;
  for (const Source source : options.sources) sources += (sources.empty() ? "" : " ") + to_string(source);
  const std::string to = options.to_ns == ConvertOptions::kAll ? "the end" : std::to_string(options.to_ns) + " ns";
  const std::string count =
      options.events == ConvertOptions::kAll ? "" : ", at most " + std::to_string(options.events) + " events";
  std::string name = in.substr(in.find_last_of('/') + 1);
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !is_text(c); }, '?');
  return fmt::format(
      " cut from {}: {} ns to {}{}, sources {}; times count from the cut; the first {} M lines, at time 0, are the "
      "mappings live at the cut; head of the original:",
      name, options.from_ns, to, count, sources.empty() ? "all" : sources, snapshot_maps);
}

WriterOptions writer_options(const Reader& reader, const ConvertOptions& options, std::size_t snapshot_maps) {
  WriterOptions out;
  out.level = options.level;
  const ConvertOptions all;
  if (options.from_ns != all.from_ns || options.to_ns != all.to_ns || options.events != all.events ||
      !options.sources.empty())
    out.head.push_back(describe_cut(reader.name(), options, snapshot_maps));
  for (const std::string& line : reader.head())
    if (&line != &reader.head().front() || line != kVersionLine) out.head.push_back(line);
  return out;
}

}  // namespace

ConvertResult convert(const std::string& in, const std::string& out, const ConvertOptions& options) {
  Reader reader(in);
  Snapshot snapshot;
  std::optional<Writer> writer;
  ConvertResult result;
  const auto open = [&] {
    const std::vector<Event> maps = snapshot.events();
    writer.emplace(out, writer_options(reader, options, maps.size()));
    for (const Event& map : maps) writer->write(map);
    result.snapshot_maps = maps.size();
  };
  Event event;
  while (result.events < options.events && reader.next(event) && event.time_ns < options.to_ns) {
    if (!options.sources.empty() &&
        std::find(options.sources.begin(), options.sources.end(), event.source) == options.sources.end())
      continue;
    const bool opens_trace = !writer && event.op == Op::kMap && event.time_ns == 0;
    if (opens_trace || event.time_ns < options.from_ns) {
      snapshot.apply(event);
      continue;
    }
    if (!writer) open();
    event.time_ns -= options.from_ns;
    writer->write(event);
    ++result.events;
  }
  if (!writer && options.from_ns == 0) open();
  if (!writer || result.snapshot_maps + result.events == 0)
    throw base::InputError({in, 0, 0}, "no event in the chosen window and sources, expected at least one");
  writer->finish();
  return result;
}

}  // namespace iommusim::traces
