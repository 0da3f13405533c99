// SPDX-License-Identifier: Apache-2.0
// What happens to ranges of a DmaDomain once their leaves are cleared: the policies. Also mappings at fixed IOVAs, and
// invalidations that the caller asks for.
#include <algorithm>
#include <cerrno>
#include <mutex>

#include "dma/call.h"
#include "dma/dma_domain.h"
#include "hal/contradiction.h"

namespace iommusim::dma {
namespace {

constexpr std::uint64_t kPageBytes = 4096;

constexpr bool whole_pages(std::uint64_t iova, std::uint64_t bytes) {
  return bytes != 0 && (iova | bytes) % kPageBytes == 0 && iova + (bytes - 1) >= iova;
}

}  // namespace

void DmaDomain::remove(const IovaRange& range, unsigned cpu, bool strict, bool whole) {
  domain::Gather gather;
  const std::uint64_t cleared = domain_->unmap(range.iova(), range.bytes(), gather);
  hal::ensure(cleared == range.bytes() || !whole, "a DMA unmap of what was not mapped");
  count_unmap(range);
  let_go({range}, gather, cpu, strict);
}

void DmaDomain::undo(const IovaRange& range, std::uint64_t bytes, unsigned cpu) {
  domain::Gather gather;
  if (bytes != 0) (void)domain_->unmap(range.iova(), bytes, gather);
  let_go({range}, gather, cpu, true);
}

void DmaDomain::let_go(const Ranges& ranges, domain::Gather& gather, unsigned cpu, bool strict) {
  if (strict || options_.invalidation == Invalidation::kStrict) {
    const bool any = !gather.empty();
    if (!domain_->sync(gather)) return;  // the IOVAs are lost: the hardware may still know them
    if (any) statistics_.syncs.add();
    for (const IovaRange& range : ranges) iovas_.free(range, cpu);
  } else if (options_.invalidation == Invalidation::kDeferred) {
    for (const IovaRange& range : ranges) {
      FlushEntry entry;
      entry.range = range;
      std::swap(entry.gather, gather);  // all tables go with the first; a flush that frees it covers them
      queue_->add(std::move(entry), cpu);
    }
  } else {
    hal::ensure(gather.freed_tables.empty(), "page tables wait for an invalidation by address, which is not enough");
    for (const IovaRange& range : ranges) wait_for_invalidation(range);
  }
}

void DmaDomain::release(FlushEntry& entry, unsigned cpu) {
  domain_->free_tables(entry.gather);
  iovas_.free(entry.range, cpu);
}

int DmaDomain::map_fixed(std::uint64_t iova, std::uint64_t spa, std::uint64_t bytes, Direction direction) {
  const Call call(os_, options_.call_ns, statistics_.map_ns);
  if (!whole_pages(iova, bytes) || spa % kPageBytes != 0) return EINVAL;
  const IovaRange range{iova / kPageBytes, bytes / kPageBytes, true};
  if (range.last_page() > limit_) return EINVAL;
  bool taken = iovas_.take(range);
  if (!taken && queue_) {
    queue_->flush(statistics_.flushes_space);
    iovas_.empty_caches();
    taken = iovas_.take(range);
  }
  if (!taken) return EEXIST;
  if (const int error = domain_->map(iova, spa, bytes, prot_of(direction))) {
    iovas_.free(range, 0);
    return error;
  }
  count_map(range);
  const std::lock_guard guard(*lock_);
  fixed_.emplace(range.first, range.pages);
  return 0;
}

/// Takes the fixed mappings inside [first, last] out of the list, neighbours as one range.
int DmaDomain::take_fixed(std::uint64_t first, std::uint64_t last, Ranges& out) {
  const std::lock_guard guard(*lock_);
  const auto begin = fixed_.lower_bound(first);
  const auto end = fixed_.upper_bound(last);
  if (begin != fixed_.begin() && std::prev(begin)->first + std::prev(begin)->second > first) return EINVAL;
  if (begin == end) return ENOENT;
  if (std::prev(end)->first + std::prev(end)->second - 1 > last) return EINVAL;
  for (auto at = begin; at != end; ++at) {
    count_unmap({at->first, at->second, true});
    if (!out.empty() && out.back().last_page() + 1 == at->first)
      out.back().pages += at->second;
    else
      out.push_back({at->first, at->second, true});
  }
  fixed_.erase(begin, end);
  return 0;
}

int DmaDomain::unmap_fixed(std::uint64_t iova, std::uint64_t bytes, unsigned cpu) {
  const Call call(os_, options_.call_ns, statistics_.unmap_ns);
  if (!whole_pages(iova, bytes)) return EINVAL;
  Ranges ranges;
  if (const int error = take_fixed(iova / kPageBytes, (iova + (bytes - 1)) / kPageBytes, ranges)) return error;
  domain::Gather gather;
  for (const IovaRange& range : ranges) {
    const std::uint64_t cleared = domain_->unmap(range.iova(), range.bytes(), gather);
    hal::ensure(cleared == range.bytes(), "a fixed mapping lost some of its pages");
  }
  let_go(ranges, gather, cpu, false);
  return 0;
}

void DmaDomain::remove_all_fixed() {
  Ranges ranges;
  domain::Gather gather;
  if (take_fixed(0, limit_, ranges) == 0)
    for (const IovaRange& range : ranges) (void)domain_->unmap(range.iova(), range.bytes(), gather);
  for (const IovaRange& range : take_waiting(0, limit_)) ranges.push_back(range);
  if (ranges.empty()) return;
  statistics_.flushes_asked.add();
  if (!domain_->flush_all()) return;
  domain_->free_tables(gather);
  for (const IovaRange& range : ranges) iovas_.free(range, 0);
}

/// Ranges that wait never overlap, since nothing is mapped there meanwhile.
void DmaDomain::wait_for_invalidation(const IovaRange& range) {
  statistics_.waiting.add();
  const std::lock_guard guard(*lock_);
  waiting_.emplace(range.first, range.first + range.pages);
}

/// What waits in [first, last], cut out of ranges that reach beyond it.
DmaDomain::Ranges DmaDomain::take_waiting(std::uint64_t first, std::uint64_t last) {
  Ranges taken;
  const std::lock_guard guard(*lock_);
  auto at = waiting_.upper_bound(first);
  if (at != waiting_.begin()) --at;
  while (at != waiting_.end() && at->first <= last) {
    const auto [begin, end] = *at;
    if (end <= first) {
      ++at;
      continue;
    }
    at = waiting_.erase(at);
    statistics_.waiting.sub();
    const std::uint64_t from = std::max(begin, first), to = std::min(end, last + 1);
    taken.push_back({from, to - from, true});
    if (begin < from) waiting_.emplace(begin, from), statistics_.waiting.add();
    if (to < end) at = waiting_.emplace(to, end).first, statistics_.waiting.add();
  }
  return taken;
}

int DmaDomain::invalidate(std::uint64_t iova, std::uint64_t bytes) {
  const Call call(os_, options_.call_ns, statistics_.unmap_ns);
  if (bytes == 0 || iova + (bytes - 1) < iova) return EINVAL;
  const std::lock_guard guard(*invalidating_);
  const Ranges ranges = take_waiting(iova / kPageBytes, (iova + (bytes - 1)) / kPageBytes);
  const bool good = domain_->invalidate(iova & ~(kPageBytes - 1), iova + (bytes - 1));
  statistics_.syncs.add();
  for (const IovaRange& range : ranges)
    if (good) iovas_.free(range, 0);
  return 0;
}

void DmaDomain::flush() {
  const Call call(os_, options_.call_ns, statistics_.unmap_ns);
  if (queue_) {
    queue_->flush(statistics_.flushes_asked);
    return;
  }
  const std::lock_guard guard(*invalidating_);
  const Ranges ranges = take_waiting(0, limit_);
  statistics_.flushes_asked.add();
  const bool good = domain_->flush_all();
  for (const IovaRange& range : ranges)
    if (good) iovas_.free(range, 0);
}

}  // namespace iommusim::dma
