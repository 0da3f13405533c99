// SPDX-License-Identifier: Apache-2.0
#include "dma/iova_cache.h"

#include <algorithm>
#include <mutex>

namespace iommusim::dma {

IovaCache::IovaCache(hal::Os& os, const IovaOptions& options, std::uint32_t cpus, Statistics& statistics)
    : capacity_(options.magazine_entries),
      depot_capacity_(options.depot_magazines),
      statistics_(statistics),
      cpus_(cpus),
      depot_lock_(os.make_mutex()) {
  for (Cpu& cpu : cpus_) cpu.lock = os.make_mutex();
}

std::uint64_t IovaCache::get(std::uint64_t pages, std::uint64_t limit, unsigned cpu) {
  Cpu& mine = cpus_[cpu];
  const std::lock_guard guard(*mine.lock);
  if (mine.loaded.empty() && !mine.previous.empty()) mine.loaded.swap(mine.previous);
  if (mine.loaded.empty()) {
    const std::lock_guard depot_guard(*depot_lock_);
    if (depot_.empty()) return 0;
    mine.loaded.swap(depot_.back());
    depot_.pop_back();
    statistics_.depot_hits.add();
  }
  // The newest that is low enough: its table is likely to be there still.
  const auto fits = [&](std::uint64_t first) { return first + (pages - 1) <= limit; };
  const auto at = std::find_if(mine.loaded.rbegin(), mine.loaded.rend(), fits);
  if (at == mine.loaded.rend()) return 0;
  const std::uint64_t first = *at;
  *at = mine.loaded.back();
  mine.loaded.pop_back();
  statistics_.cache_hits.add();
  return first;
}

void IovaCache::put(std::uint64_t first, unsigned cpu, Magazine& surplus) {
  Cpu& mine = cpus_[cpu];
  const std::lock_guard guard(*mine.lock);
  if (full(mine.loaded)) mine.loaded.swap(mine.previous);
  if (full(mine.loaded)) {
    const std::lock_guard depot_guard(*depot_lock_);
    if (depot_.size() < depot_capacity_)
      depot_.push_back(std::move(mine.loaded));
    else
      surplus = std::move(mine.loaded);
    mine.loaded = {};
  }
  mine.loaded.push_back(first);
}

void IovaCache::drain(Magazine& out) {
  const auto move_all = [&out](Magazine& magazine) {
    out.insert(out.end(), magazine.begin(), magazine.end());
    magazine.clear();
  };
  for (Cpu& cpu : cpus_) {
    const std::lock_guard guard(*cpu.lock);
    move_all(cpu.loaded);
    move_all(cpu.previous);
  }
  const std::lock_guard guard(*depot_lock_);
  for (Magazine& magazine : depot_) move_all(magazine);
  depot_.clear();
}

}  // namespace iommusim::dma
