// SPDX-License-Identifier: Apache-2.0
#include "platform/mapping_groups.h"

#include <map>
#include <vector>

#include "traces/reader.h"

namespace iommusim::platform {

MappingGroups::MappingGroups(const std::string& trace) {
  struct Piece {
    std::uint64_t bytes, line;
  };
  std::map<std::uint32_t, std::map<std::uint64_t, Piece>> live;  // by source and IOVA
  traces::Reader reader(trace);
  for (traces::Event event; reader.next(event);) {
    auto& pieces = live[event.source.key()];
    if (event.op == traces::Op::kMap) pieces[event.iova] = {event.bytes, event.line};
    if (event.op != traces::Op::kUnmap) continue;
    const auto begin = pieces.lower_bound(event.iova);
    const auto end = pieces.upper_bound(event.last());
    for (auto first = begin; first != end;) {  // neighbours are one range
      auto next = first;
      std::uint64_t bytes = 0;
      while (next != end && next->first == first->first + bytes) bytes += next++->second.bytes;
      const Range range{first->first, bytes};
      if (std::next(first) != next)
        for (; first != next; ++first) by_line_.emplace(first->second.line, range);
      first = next;
    }
    pieces.erase(begin, end);
  }
}

MappingGroups::Range MappingGroups::of(const traces::Event& map) const {
  const auto at = by_line_.find(map.line);
  return at != by_line_.end() ? at->second : Range{map.iova, map.bytes};
}

}  // namespace iommusim::platform
