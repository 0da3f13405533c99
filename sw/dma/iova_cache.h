// SPDX-License-Identifier: Apache-2.0
// Free IOVA ranges of one size, kept where they are found again without a search. Each processor has two magazines, of
// which one is in use and the other full or empty, so that a processor at the border of one does not go to the depot at
// each call; the depot holds full ones for all. What is in here counts as taken in the tree. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dma/options.h"
#include "dma/statistics.h"
#include "hal/os.h"

namespace iommusim::dma {

class IovaCache {
 public:
  using Magazine = std::vector<std::uint64_t>;  ///< first pages

  IovaCache(hal::Os& os, const IovaOptions& options, std::uint32_t cpus, Statistics& statistics);

  /// A range that lies below page `limit` + 1, of `pages` each; 0: none at hand.
  std::uint64_t get(std::uint64_t pages, std::uint64_t limit, unsigned cpu);
  /// Keeps a range; what there is no room for comes back in `surplus`, for the tree.
  void put(std::uint64_t first, unsigned cpu, Magazine& surplus);
  /// All that is kept, for the tree.
  void drain(Magazine& out);

 private:
  struct Cpu {
    std::unique_ptr<hal::Mutex> lock;  // guards the magazines
    Magazine loaded;
    Magazine previous;
  };
  bool full(const Magazine& magazine) const { return magazine.size() >= capacity_; }

  const std::size_t capacity_;
  const std::size_t depot_capacity_;
  Statistics& statistics_;
  std::vector<Cpu> cpus_;
  std::unique_ptr<hal::Mutex> depot_lock_;  // after a Cpu's lock
  std::vector<Magazine> depot_;
};

}  // namespace iommusim::dma
