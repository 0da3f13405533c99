// SPDX-License-Identifier: Apache-2.0
// Walking and editing of a page table.
#include "drivers/riscv/page_table.h"

#include <cerrno>

namespace iommusim::drivers::riscv {
namespace {

constexpr std::uint64_t kPteLeafBits = hw::pte::kRMask | hw::pte::kWMask | hw::pte::kXMask;

constexpr unsigned span_shift(unsigned level) { return 12 + 9 * level; }
constexpr std::uint64_t span(unsigned level) { return 1ULL << span_shift(level); }
constexpr std::uint64_t slot_at(std::uint64_t table, std::uint64_t index) { return table + index * hw::kPteBytes; }
constexpr bool is_leaf(std::uint64_t entry) { return (entry & kPteLeafBits) != 0; }
constexpr std::uint64_t target_of(std::uint64_t entry) {
  return field_of(entry, hw::pte::kPpnMask, hw::pte::kPpnShift) << 12;
}

/// A and U always; W implies R; D on writable leaves unless hardware sets it (riscv_driver.md 4).
constexpr std::uint64_t leaf_bits(unsigned prot, const PageTable::Shape& shape) {
  std::uint64_t bits = hw::pte::kVMask | hw::pte::kAMask | hw::pte::kUMask | hw::pte::kRMask;
  if (prot & domain::kWrite) bits |= hw::pte::kWMask | (shape.hardware_dirty ? 0 : hw::pte::kDMask);
  if (shape.execute) bits |= hw::pte::kXMask;
  return bits;
}

}  // namespace

PageTable::PageTable(hal::Memory& memory, hal::FrameAllocator& frames, const Shape& shape)
    : memory_(memory), frames_(frames), shape_(shape), root_(frames.alloc(shape.root_bits - 9)) {}

PageTable::~PageTable() {
  if (root_ == 0) return;
  free_below(root_, shape_.levels - 1);
  frames_.free(root_, shape_.root_bits - 9);
}

unsigned PageTable::entries_of(unsigned level) const {
  return 1U << (level == shape_.levels - 1 ? shape_.root_bits : 9U);
}

std::uint64_t PageTable::index_at(std::uint64_t iova, unsigned level) const {
  return (iova >> span_shift(level)) & (entries_of(level) - 1);
}

void PageTable::free_below(std::uint64_t table, unsigned level) {
  if (level == 0) return;
  for (unsigned i = 0; i < entries_of(level); ++i) {
    const std::uint64_t entry = memory_.load64(slot_at(table, i));
    if (entry == 0 || is_leaf(entry)) continue;
    free_below(target_of(entry), level - 1);
    frames_.free(target_of(entry), 0);
  }
}

unsigned PageTable::level_for(std::uint64_t iova, std::uint64_t spa, std::uint64_t bytes) const {
  unsigned level = shape_.levels - 1;
  while (level > 0 &&
         ((shape_.page_sizes & span(level)) == 0 || ((iova | spa) & (span(level) - 1)) != 0 || bytes < span(level)))
    --level;
  return level;
}

/// The table whose entries are leaves of `level`; adds the tables on the way.
int PageTable::table_at(std::uint64_t iova, unsigned level, std::uint64_t& table) {
  table = root_;
  for (unsigned at = shape_.levels - 1; at > level; --at) {
    const std::uint64_t slot = slot_at(table, index_at(iova, at));
    std::uint64_t entry = memory_.load64(slot);
    if (entry == 0) {
      const std::uint64_t fresh = frames_.alloc(0);
      if (fresh == 0) return ENOMEM;
      const std::uint64_t link = hw::pte::kVMask | ((fresh >> 12) << hw::pte::kPpnShift);
      if (memory_.compare_exchange64(slot, entry, link))
        entry = link;
      else
        frames_.free(fresh, 0);  // `entry` is the winner's
    }
    if (is_leaf(entry)) return EEXIST;
    table = target_of(entry);
  }
  return 0;
}

int PageTable::map(std::uint64_t iova, std::uint64_t spa, std::uint64_t bytes, unsigned prot, std::uint64_t& done,
                   std::vector<std::uint64_t>& replaced) {
  const std::uint64_t bits = leaf_bits(prot, shape_);
  while (done < bytes) {
    const unsigned level = level_for(iova + done, spa + done, bytes - done);
    std::uint64_t table = 0;
    if (const int error = table_at(iova + done, level, table)) return error;
    for (std::uint64_t index = index_at(iova + done, level); index < entries_of(level) && done < bytes; ++index) {
      if (level_for(iova + done, spa + done, bytes - done) != level) break;
      const std::uint64_t slot = slot_at(table, index);
      const std::uint64_t entry = memory_.load64(slot);
      if (entry != 0) {
        if (is_leaf(entry) || !unlink_if_empty(slot, level, replaced)) return EEXIST;
        return EAGAIN;
      }
      memory_.store64(slot, bits | (((spa + done) >> 12) << hw::pte::kPpnShift));
      done += span(level);
    }
  }
  return 0;
}

/// Takes away the table behind `slot`, an entry of a table of `level`, unless some leaf is below it.
bool PageTable::unlink_if_empty(std::uint64_t slot, unsigned level, std::vector<std::uint64_t>& unlinked) {
  const std::uint64_t entry = memory_.load64(slot);
  domain::Gather below;
  if (collect(target_of(entry), level - 1, 0, below) != 0) return false;
  memory_.store64(slot, 0);
  unlinked.insert(unlinked.end(), below.freed_tables.begin(), below.freed_tables.end());
  return true;
}

std::uint64_t PageTable::collect(std::uint64_t table, unsigned level, std::uint64_t base,
                                 domain::Gather& gather) const {
  gather.freed_tables.push_back(table);
  std::uint64_t bytes = 0;
  for (unsigned i = 0; i < entries_of(level); ++i) {
    const std::uint64_t entry = memory_.load64(slot_at(table, i));
    if (entry == 0) continue;
    const std::uint64_t start = base + i * span(level);
    if (is_leaf(entry)) {
      gather.add(start, start + (span(level) - 1));
      bytes += span(level);
    } else {
      bytes += collect(target_of(entry), level - 1, start, gather);
    }
  }
  return bytes;
}

std::uint64_t PageTable::unmap(std::uint64_t iova, std::uint64_t last, domain::Gather& gather) {
  return clear(root_, shape_.levels - 1, 0, Range{iova, last}, gather);
}

PageTable::Range PageTable::indices(unsigned level, std::uint64_t base, Range range) const {
  return {range.first > base ? (range.first - base) >> span_shift(level) : 0,
          std::min<std::uint64_t>((range.last - base) >> span_shift(level), entries_of(level) - 1)};
}

std::uint64_t PageTable::clear(std::uint64_t table, unsigned level, std::uint64_t base, Range range,
                               domain::Gather& gather) {
  const Range part = indices(level, base, range);
  std::uint64_t bytes = 0;
  for (std::uint64_t i = part.first; i <= part.last; ++i)
    bytes += clear_entry(slot_at(table, i), level, base + i * span(level), range, gather);
  return bytes;
}

std::uint64_t PageTable::clear_entry(std::uint64_t slot, unsigned level, std::uint64_t start, Range range,
                                     domain::Gather& gather) {
  const std::uint64_t entry = memory_.load64(slot);
  if (entry == 0) return 0;
  const std::uint64_t end = start + (span(level) - 1);
  if (is_leaf(entry)) {
    memory_.store64(slot, 0);
    gather.add(start, end);
    return span(level);
  }
  if (shape_.free_tables && range.first <= start && end <= range.last) {
    domain::Gather below;
    const std::uint64_t bytes = collect(target_of(entry), level - 1, start, below);
    if (bytes == 0) return 0;  // nothing to invalidate: an empty table stays for the next map
    memory_.store64(slot, 0);
    if (shape_.whole_spans)
      gather.add(start, end);
    else
      gather.add(below.start, below.last);
    gather.freed_tables.insert(gather.freed_tables.end(), below.freed_tables.begin(), below.freed_tables.end());
    return bytes;
  }
  return clear(target_of(entry), level - 1, start, range, gather);
}

bool PageTable::walk(std::uint64_t iova, std::uint64_t& spa_out) const {
  std::uint64_t table = root_;
  for (unsigned level = shape_.levels - 1;; --level) {
    const std::uint64_t entry = memory_.load64(slot_at(table, index_at(iova, level)));
    if (entry == 0) return false;
    if (is_leaf(entry)) {
      spa_out = target_of(entry) + (iova & (span(level) - 1));
      return true;
    }
    if (level == 0) return false;
    table = target_of(entry);
  }
}

void PageTable::read_dirty(std::uint64_t iova, std::uint64_t last, bool clear, domain::DirtySink* sink,
                           domain::Gather& gather) {
  read_dirty(root_, shape_.levels - 1, 0, DirtyRead{{iova, last}, clear, sink, gather});
}

void PageTable::read_dirty(std::uint64_t table, unsigned level, std::uint64_t base, const DirtyRead& read) {
  const Range part = indices(level, base, read.range);
  for (std::uint64_t i = part.first; i <= part.last; ++i) {
    const std::uint64_t slot = slot_at(table, i);
    const std::uint64_t entry = memory_.load64(slot), start = base + i * span(level);
    if (entry == 0) continue;
    if (!is_leaf(entry))
      read_dirty(target_of(entry), level - 1, start, read);
    else if ((entry & hw::pte::kDMask) != 0)
      read_dirty_leaf(slot, start, span(level), read);
  }
}

/// Hardware may set bits of the leaf at the same time.
void PageTable::read_dirty_leaf(std::uint64_t slot, std::uint64_t start, std::uint64_t bytes, const DirtyRead& read) {
  if (read.sink != nullptr) read.sink->dirty(start, bytes);
  if (!read.clear || !shape_.hardware_dirty) return;
  std::uint64_t entry = memory_.load64(slot);
  while ((entry & hw::pte::kDMask) != 0 && !memory_.compare_exchange64(slot, entry, entry & ~hw::pte::kDMask)) {
  }
  read.gather.add(start, start + (bytes - 1));
}

}  // namespace iommusim::drivers::riscv
