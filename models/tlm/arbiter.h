// SPDX-License-Identifier: Apache-2.0
// Who goes next when several want the same link or the IOMMU: a choice by name. Contenders are numbered; each has a
// weight of its own. Invariant: a contender is picked only among those that are named as ready.
#pragma once

#include <cstdint>
#include <vector>

#include "base/choice.h"
#include "base/error.h"

namespace iommusim::bus {

enum class Arbitration : std::uint8_t { kRoundRobin, kWeighted, kFixed };
inline constexpr base::Choice<Arbitration> kArbitrations[] = {
    {"round_robin", "one packet each, in turn", Arbitration::kRoundRobin},
    {"weighted", "in turn, up to `weight` packets in a row", Arbitration::kWeighted},
    {"fixed", "the greatest weight first, among equals in turn", Arbitration::kFixed},
};

class Arbiter {
 public:
  explicit Arbiter(Arbitration kind) : kind_(kind) {}

  /// One of `ready`, which is not empty; weight_of(contender) is at least 1.
  template <class WeightOf>
  std::uint32_t pick(const std::vector<std::uint32_t>& ready, WeightOf&& weight_of) {
    base::ensure(!ready.empty(), "arbitration among nobody");
    std::uint32_t best = ready.front();
    bool again = false;
    for (const std::uint32_t candidate : ready) {
      again |= candidate == last_;
      if (kind_ == Arbitration::kFixed && weight_of(candidate) != weight_of(best)) {
        if (weight_of(candidate) > weight_of(best)) best = candidate;
      } else if (turns_to(candidate) < turns_to(best)) {
        best = candidate;
      }
    }
    if (kind_ == Arbitration::kWeighted && again && in_a_row_ < weight_of(last_)) best = last_;
    in_a_row_ = best == last_ ? in_a_row_ + 1 : 1;
    last_ = best;
    return best;
  }

 private:
  /// Contenders between the last one picked and this one, in the order of numbers.
  std::uint32_t turns_to(std::uint32_t contender) const { return contender - last_ - 1; }

  Arbitration kind_;
  std::uint32_t last_ = ~0U;
  std::uint32_t in_a_row_ = 0;
};

}  // namespace iommusim::bus
