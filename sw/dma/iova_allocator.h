// SPDX-License-Identifier: Apache-2.0
// IOVA ranges for drivers: small ones, rounded up to a power of two, from the caches of the processor, all others and
// what the caches do not have from the tree. A range is in one hand at a time: the tree's, a cache's or a caller's.
// Thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "dma/iova_cache.h"
#include "dma/iova_tree.h"

namespace iommusim::dma {

/// Pages of IOVA. `fixed`: chosen by the caller, known to no cache.
struct IovaRange {
  std::uint64_t first = 0;
  std::uint64_t pages = 0;
  bool fixed = false;

  std::uint64_t iova() const { return first << 12; }
  std::uint64_t bytes() const { return pages << 12; }
  std::uint64_t last_page() const { return first + (pages - 1); }
};

class IovaAllocator {
 public:
  IovaAllocator(hal::Os& os, const IovaOptions& options, std::uint32_t cpus, Statistics& statistics);

  /// No page above `limit`. `low`: as for IovaTree. `hard`: gives up only after the caches were emptied into the tree.
  bool allocate(std::uint64_t pages, std::uint64_t limit, bool low, bool hard, unsigned cpu, IovaRange& out);
  bool take(const IovaRange& range);
  void free(const IovaRange& range, unsigned cpu);
  void reserve(std::uint64_t first, std::uint64_t last);
  void empty_caches();
  /// Reserved ones too; empty the caches before for what callers hold.
  std::uint64_t ranges() const;

 private:
  IovaCache* cache_for(std::uint64_t pages, std::uint64_t& rounded);
  bool search(std::uint64_t pages, std::uint64_t limit, bool low, std::uint64_t& first);

  Statistics& statistics_;
  std::vector<std::unique_ptr<IovaCache>> caches_;  // by order
  std::unique_ptr<hal::Mutex> lock_;                // guards tree_; innermost
  IovaTree tree_;
};

}  // namespace iommusim::dma
