// SPDX-License-Identifier: Apache-2.0
// Walks of MockPageTable. All ranges are entry numbers, both ends included.
#include "drivers/mock_page_table.h"

#include <algorithm>
#include <cerrno>
#include <new>

#include "hal/contradiction.h"

namespace iommusim::drivers {
namespace {

unsigned lowest_bit(std::uint64_t value) { return static_cast<unsigned>(__builtin_ctzll(value)); }
unsigned highest_bit(std::uint64_t value) { return 63U - static_cast<unsigned>(__builtin_clzll(value)); }
std::uint64_t up_to(unsigned bit) { return ~0ULL >> (63 - bit); }

}  // namespace

MockPageTable::MockPageTable(const MockFormat& format) : format_(format), shift_(lowest_bit(format.page_sizes)) {
  hal::ensure(shift_ >= 8, "pages smaller than 256 bytes");
}

std::uint64_t MockPageTable::bits(std::uint64_t chunk, const Run& run) {
  const std::uint64_t base = chunk * kEntries;
  const unsigned from = run.first <= base ? 0 : static_cast<unsigned>(run.first - base);
  const unsigned to = static_cast<unsigned>(std::min<std::uint64_t>(run.last - base, kEntries - 1));
  return up_to(to) & ~0ULL << from;
}

MockPageTable::Leaf MockPageTable::leaf_of(std::uint64_t index, std::uint64_t entry) const {
  const Run run = leaf_at(index, entry);
  return {run.first << shift_, (run.last - run.first + 1) << shift_, entry & kSpaMask,
          static_cast<unsigned>(entry & kProtMask)};
}

const MockPageTable::Chunk* MockPageTable::chunk_of(std::uint64_t index) const {
  const auto at = chunks_.find(index / kEntries);
  return at == chunks_.end() ? nullptr : &at->second;
}

template <class Work>
void MockPageTable::each_chunk(const Run& run, Work work) {
  for (auto at = chunks_.lower_bound(run.first / kEntries); at != chunks_.end() && at->first <= run.last / kEntries;) {
    work(at->first, at->second);
    at = (at->second.present | at->second.stale) == 0 ? chunks_.erase(at) : std::next(at);
  }
}

bool MockPageTable::present_in(const Run& run) const {
  for (auto at = chunks_.lower_bound(run.first / kEntries); at != chunks_.end() && at->first <= run.last / kEntries;
       ++at)
    if ((at->second.present & bits(at->first, run)) != 0) return true;
  return false;
}

int MockPageTable::check(std::uint64_t iova, std::uint64_t spa, std::uint64_t bytes, unsigned prot) const {
  const std::uint64_t last = iova + (bytes - 1);
  if (bytes == 0 || ((iova | spa | bytes) & (smallest_page() - 1)) != 0 || last < iova) return EINVAL;
  if (iova < format_.aperture_start || last > format_.aperture_last) return EINVAL;
  if (prot == 0 || prot > (domain::kRead | domain::kWrite)) return EINVAL;
  return present_in({iova >> shift_, last >> shift_}) ? EEXIST : 0;
}

// Allocates before it changes anything of a chunk. `at`: not behind the run's first chunk; moves along.
void MockPageTable::put(const Run& run, std::uint64_t entry, Chunks::iterator& at) {
  for (std::uint64_t number = run.first / kEntries; number <= run.last / kEntries; ++number) {
    while (at != chunks_.end() && at->first < number) ++at;
    if (at == chunks_.end() || at->first != number) at = chunks_.try_emplace(at, number);
    Chunk& chunk = at->second;
    const std::uint64_t mine = bits(number, run);
    for (std::uint64_t old = chunk.stale & mine; old != 0; old &= old - 1) {
      const std::uint64_t index = number * kEntries + lowest_bit(old);
      const Leaf leaf = leaf_of(index, chunk.entries[lowest_bit(old)]);
      buried_.emplace(index << shift_,
                      Leaf{index << shift_, smallest_page(), leaf.spa + ((index << shift_) - leaf.iova), leaf.prot});
    }
    chunk.stale &= ~mine;
    chunk.dirty &= ~mine;
    chunk.present |= mine;
    for (std::uint64_t left = mine; left != 0; left &= left - 1) chunk.entries[lowest_bit(left)] = entry;
  }
  mapped_entries_ += run.last - run.first + 1;
}

void MockPageTable::take_back(const Run& run) noexcept {
  each_chunk(run, [&](std::uint64_t number, Chunk& chunk) { chunk.present &= ~bits(number, run); });
}

int MockPageTable::map(std::uint64_t iova, std::uint64_t spa, std::uint64_t bytes, unsigned prot) {
  if (const int error = check(iova, spa, bytes, prot)) return error;
  const Run all{iova >> shift_, (iova + (bytes - 1)) >> shift_};
  const std::uint64_t counted = mapped_entries_;
  auto at = chunks_.lower_bound(all.first / kEntries);
  try {
    while (bytes > 0) {
      const std::uint64_t aligned = iova | spa ? up_to(lowest_bit(iova | spa)) : ~0ULL;
      const unsigned size = highest_bit(format_.page_sizes & aligned & up_to(highest_bit(bytes)));
      const std::uint64_t first = iova >> shift_;
      const std::uint64_t step = 1ULL << size;
      put({first, first + ((step >> shift_) - 1)}, spa | (size - shift_) << 2 | prot, at);
      iova += step, spa += step, bytes -= step;
    }
  } catch (const std::bad_alloc&) {
    take_back(all);
    mapped_entries_ = counted;
    return ENOMEM;
  }
  return 0;
}

std::uint64_t MockPageTable::unmap(std::uint64_t iova, std::uint64_t last, domain::Gather& gather) noexcept {
  std::uint64_t cleared = 0;
  Run range{iova >> shift_, last >> shift_};
  // Leaves that reach in from outside: any entry inside tells.
  for (const std::uint64_t end : {range.first, range.last}) {
    const Chunk* const chunk = chunk_of(end);
    if (!chunk || (chunk->present >> end % kEntries & 1) == 0) continue;
    const Run leaf = leaf_at(end, chunk->entries[end % kEntries]);
    range = {std::min(range.first, leaf.first), std::max(range.last, leaf.last)};
  }
  each_chunk(range, [&](std::uint64_t number, Chunk& chunk) {
    const std::uint64_t mine = chunk.present & bits(number, range);
    if (mine == 0) return;
    const std::uint64_t base = number * kEntries;
    gather.add((base + lowest_bit(mine)) << shift_, ((base + highest_bit(mine) + 1) << shift_) - 1);
    cleared += static_cast<unsigned>(__builtin_popcountll(mine));
    chunk.present &= ~mine;
    chunk.dirty &= ~mine;
    chunk.stale |= mine;
  });
  mapped_entries_ -= cleared;
  return cleared << shift_;
}

void MockPageTable::forget(std::uint64_t start, std::uint64_t last) noexcept {
  Run range{start >> shift_, last >> shift_};
  for (const std::uint64_t end : {range.first, range.last}) {
    const Chunk* const chunk = chunk_of(end);
    if (!chunk || (chunk->stale >> end % kEntries & 1) == 0) continue;
    const Run leaf = leaf_at(end, chunk->entries[end % kEntries]);
    range = {std::min(range.first, leaf.first), std::max(range.last, leaf.last)};
  }
  each_chunk(range, [&](std::uint64_t number, Chunk& chunk) { chunk.stale &= ~bits(number, range); });
  buried_.erase(buried_.lower_bound(range.first << shift_), buried_.upper_bound(range.last << shift_));
}

bool MockPageTable::find(std::uint64_t iova, Leaf& out) const {
  const std::uint64_t index = iova >> shift_;
  const Chunk* const chunk = chunk_of(index);
  if (!chunk || (chunk->present >> index % kEntries & 1) == 0) return false;
  out = leaf_of(index, chunk->entries[index % kEntries]);
  return true;
}

bool MockPageTable::allows(std::uint64_t index, std::uint64_t entry, std::uint64_t iova, unsigned prot,
                           std::uint64_t& out) const {
  const Leaf leaf = leaf_of(index, entry);
  if ((leaf.prot & prot) != prot) return false;
  out = leaf.spa + (iova - leaf.iova);
  return true;
}

bool MockPageTable::translate(std::uint64_t iova, unsigned prot, std::uint64_t& spa_out) const {
  const std::uint64_t index = iova >> shift_;
  const Chunk* const chunk = chunk_of(index);
  if (chunk && ((chunk->present | chunk->stale) >> index % kEntries & 1) != 0 &&
      allows(index, chunk->entries[index % kEntries], iova, prot, spa_out))
    return true;
  const auto [first, end] = buried_.equal_range(index << shift_);
  for (auto at = first; at != end; ++at)
    if ((at->second.prot & prot) == prot) {
      spa_out = at->second.spa + (iova - at->first);
      return true;
    }
  return false;
}

bool MockPageTable::mark_dirty(std::uint64_t iova) noexcept {
  const std::uint64_t index = iova >> shift_;
  const Chunk* const chunk = chunk_of(index);
  if (!chunk || (chunk->present >> index % kEntries & 1) == 0) return false;
  const Run leaf = leaf_at(index, chunk->entries[index % kEntries]);
  each_chunk(leaf, [&](std::uint64_t number, Chunk& of) { of.dirty |= bits(number, leaf); });
  return true;
}

void MockPageTable::read_dirty(std::uint64_t start, std::uint64_t last, bool clear, domain::DirtySink& sink,
                               domain::Gather& gather) {
  const Run range{start >> shift_, last >> shift_};
  for (auto at = chunks_.lower_bound(range.first / kEntries); at != chunks_.end() && at->first <= range.last / kEntries;
       ++at) {
    // A leaf that was met in an earlier chunk is clean by now, or met again here for its part in this chunk.
    for (std::uint64_t left = at->second.dirty & bits(at->first, range); left != 0;) {
      const unsigned bit = lowest_bit(left);
      const Run leaf = leaf_at(at->first * kEntries + bit, at->second.entries[bit]);
      const std::uint64_t mine = bits(at->first, leaf);
      const std::uint64_t from = std::max(start, (at->first * kEntries + bit) << shift_);
      const std::uint64_t to = std::min(last, ((at->first * kEntries + highest_bit(left & mine) + 1) << shift_) - 1);
      sink.dirty(from, to - from + 1);
      if (clear) {
        gather.add(leaf.first << shift_, ((leaf.last + 1) << shift_) - 1);
        at->second.dirty &= ~mine;
      }
      left &= ~mine;
    }
  }
}

std::uint64_t MockPageTable::stale_leaves() const {
  std::uint64_t sum = buried_.size();
  for (const auto& [number, chunk] : chunks_)
    for (std::uint64_t left = chunk.stale; left != 0; left &= left - 1) {
      const std::uint64_t index = number * kEntries + lowest_bit(left);
      sum += leaf_at(index, chunk.entries[lowest_bit(left)]).first == index ? 1 : 0;
    }
  return sum;
}

bool MockPageTable::reaches(std::uint64_t spa) const {
  for (const auto& [number, chunk] : chunks_)
    for (std::uint64_t left = chunk.present | chunk.stale; left != 0; left &= left - 1) {
      const std::uint64_t index = number * kEntries + lowest_bit(left);
      const Leaf leaf = leaf_of(index, chunk.entries[lowest_bit(left)]);
      if (spa - leaf.spa < leaf.bytes) return true;
    }
  return std::any_of(buried_.begin(), buried_.end(),
                     [spa](const auto& entry) { return spa - entry.second.spa < entry.second.bytes; });
}

}  // namespace iommusim::drivers
