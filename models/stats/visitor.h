// SPDX-License-Identifier: Apache-2.0
// What a sink of statistics implements. A walk is enter(root) ... leave(), properly nested, in registration order; the
// same calls come from a living tree (Group) and from a copy of its values (Snapshot).
#pragma once

#include "stats/group.h"
#include "stats/histogram_data.h"
#include "stats/occupancy_data.h"

namespace iommusim::stats {

class Visitor {
 public:
  virtual ~Visitor() = default;
  virtual void enter(const std::string& name) = 0;
  virtual void scalar(const Info& info, std::uint64_t value) = 0;
  virtual void ratio(const Info& info, std::uint64_t numerator, std::uint64_t denominator) = 0;
  virtual void histogram(const Info& info, const HistogramData& data) = 0;
  virtual void occupancy(const Info& info, const OccupancyData& data) = 0;
  virtual void leave() = 0;
};

}  // namespace iommusim::stats
