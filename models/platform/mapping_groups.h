// SPDX-License-Identifier: Apache-2.0
// Which M lines of a trace belong together: those that one U line removes are the pieces of one scatter list, mapped in
// one range of IOVAs. Known only by looking ahead, so the whole trace is read.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "traces/event.h"

namespace iommusim::platform {

class MappingGroups {
 public:
  struct Range {
    std::uint64_t iova = 0;
    std::uint64_t bytes = 0;
  };

  explicit MappingGroups(const std::string& trace);
  /// The range, by the trace's own addresses, to which the M line belongs.
  Range of(const traces::Event& map) const;

 private:
  std::unordered_map<std::uint64_t, Range> by_line_;  // of M lines that are not alone
};

}  // namespace iommusim::platform
