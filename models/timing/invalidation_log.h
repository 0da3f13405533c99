// SPDX-License-Identifier: Apache-2.0
// The invalidations of the recent past. A walk that read memory before an invalidation must not put what it found into
// a cache afterwards: each fill asks whether an invalidation that selects it came since its request entered the
// pipeline.
#pragma once

#include <array>

#include "translate/invalidation.h"

namespace iommusim::timing {

class InvalidationLog {
 public:
  /// Invalidations executed so far.
  std::uint64_t count() const { return count_; }
  void add(const translate::Invalidation& invalidation) { log_[count_++ % kKept] = invalidation; }

  /// Whether one executed since `count() == since` is selected. What fell out of the log counts as selected.
  template <class Selects>
  bool any_since(std::uint64_t since, Selects&& selects) const {
    if (count_ == since) return false;
    if (count_ - since > kKept) return true;
    for (std::uint64_t i = since; i < count_; ++i)
      if (selects(log_[i % kKept])) return true;
    return false;
  }

 private:
  static constexpr std::uint64_t kKept = 64;
  std::array<translate::Invalidation, kKept> log_{};
  std::uint64_t count_ = 0;
};

}  // namespace iommusim::timing
