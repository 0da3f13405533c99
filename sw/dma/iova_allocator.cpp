// SPDX-License-Identifier: Apache-2.0
#include "dma/iova_allocator.h"

#include <mutex>

namespace iommusim::dma {

IovaAllocator::IovaAllocator(hal::Os& os, const IovaOptions& options, std::uint32_t cpus, Statistics& statistics)
    : statistics_(statistics), lock_(os.make_mutex()) {
  for (std::uint32_t order = 0; order < options.cached_orders; ++order)
    caches_.push_back(std::make_unique<IovaCache>(os, options, cpus, statistics));
}

/// The cache for this many pages and the size of what is in it; null and `pages` for large ranges. What goes into a
/// cache must have its exact size, so all small ranges are rounded, also those that come from the tree.
IovaCache* IovaAllocator::cache_for(std::uint64_t pages, std::uint64_t& rounded) {
  for (std::size_t order = 0; order < caches_.size(); ++order)
    if (pages <= 1ULL << order) {
      rounded = 1ULL << order;
      return caches_[order].get();
    }
  rounded = pages;
  return nullptr;
}

bool IovaAllocator::search(std::uint64_t pages, std::uint64_t limit, bool low, std::uint64_t& first) {
  std::uint64_t steps = 0;
  {
    const std::lock_guard guard(*lock_);
    first = tree_.allocate(pages, limit, low, steps);
  }
  statistics_.tree_searches.add();
  statistics_.tree_steps.add(steps);
  return first != 0;
}

bool IovaAllocator::allocate(std::uint64_t pages, std::uint64_t limit, bool low, bool hard, unsigned cpu,
                             IovaRange& out) {
  std::uint64_t rounded = 0;
  IovaCache* const cache = cache_for(pages, rounded);
  std::uint64_t first = cache != nullptr ? cache->get(rounded, limit, cpu) : 0;
  if (first == 0 && !search(rounded, limit, low, first)) {
    if (!hard) return false;
    empty_caches();
    if (!search(rounded, limit, low, first)) return false;
  }
  out = {first, pages, false};
  return true;
}

bool IovaAllocator::take(const IovaRange& range) {
  const std::lock_guard guard(*lock_);
  return tree_.take(range.first, range.pages);
}

void IovaAllocator::free(const IovaRange& range, unsigned cpu) {
  if (range.fixed) {
    const std::lock_guard guard(*lock_);
    tree_.cut(range.first, range.first + range.pages);
    return;
  }
  std::uint64_t rounded = 0;
  IovaCache* const cache = cache_for(range.pages, rounded);
  IovaCache::Magazine surplus;
  if (cache != nullptr)
    cache->put(range.first, cpu, surplus);
  else
    surplus.push_back(range.first);
  if (surplus.empty()) return;
  const std::lock_guard guard(*lock_);
  for (const std::uint64_t first : surplus) tree_.give_back(first, rounded);
}

void IovaAllocator::reserve(std::uint64_t first, std::uint64_t last) {
  const std::lock_guard guard(*lock_);
  tree_.reserve(first, last);
}

void IovaAllocator::empty_caches() {
  for (std::size_t order = 0; order < caches_.size(); ++order) {
    IovaCache::Magazine all;
    caches_[order]->drain(all);
    const std::lock_guard guard(*lock_);
    for (const std::uint64_t first : all) tree_.give_back(first, 1ULL << order);
  }
}

std::uint64_t IovaAllocator::ranges() const {
  const std::lock_guard guard(*lock_);
  return tree_.ranges();
}

}  // namespace iommusim::dma
