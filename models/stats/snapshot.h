// SPDX-License-Identifier: Apache-2.0
// The values of a tree at one moment, as a copy: the warm-up is kept apart by a snapshot before reset(), a time series
// is a row of differences. Sinks walk a snapshot as they walk the tree.
#pragma once

#include "stats/visitor.h"

namespace iommusim::stats {

class Snapshot {
 public:
  explicit Snapshot(const Group& group);

  void accept(Visitor& visitor) const;
  /// What happened between the two; both of the same tree with no reset() in between.
  friend Snapshot difference(const Snapshot& later, const Snapshot& earlier);

  struct RatioValue {
    std::uint64_t numerator;
    std::uint64_t denominator;
  };
  struct Leave {};
  /// One step of the walk; std::string is enter().
  using Value = std::variant<std::string, Leave, std::uint64_t, RatioValue, HistogramData, OccupancyData>;
  struct Step {
    Info info;
    Value value;
  };

 private:
  std::vector<Step> steps_;
};

Snapshot difference(const Snapshot& later, const Snapshot& earlier);

}  // namespace iommusim::stats
