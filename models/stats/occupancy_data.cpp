// SPDX-License-Identifier: Apache-2.0
#include "stats/occupancy_data.h"

namespace iommusim::stats {

void OccupancyData::restart() {
  start_ = now_;
  level_at_start_ = level_;
  max_ = level_;
  integral_ = 0;
  at_limit_ = 0;
}

void OccupancyData::subtract(const OccupancyData& earlier) {
  base::ensure(now_ >= earlier.now_ && integral_ >= earlier.integral_, "snapshots of an occupancy in the wrong order");
  start_ = earlier.now_;
  level_at_start_ = earlier.level_;
  integral_ -= earlier.integral_;
  at_limit_ -= earlier.at_limit_;
}

}  // namespace iommusim::stats
