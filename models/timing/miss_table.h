// SPDX-License-Identifier: Apache-2.0
// What is being fetched and who waits for it: an entry per key (a page of an address space, or a device). The first
// request owns the entry and walks; later ones on the same key wait for it, unless merging is off.
#pragma once

#include <vector>

#include "timing/keys.h"
#include "timing/slot.h"

namespace iommusim::timing {

template <class Key>
class MissTable {
 public:
  MissTable(std::uint32_t depth, bool merge) : entries_(depth), marks_(depth), merge_(merge) {
    for (std::uint32_t i = depth; i-- > 0;) free_.push_back(i);
  }

  bool full() const { return free_.empty(); }
  /// The entry to wait for; kNoSlot: none, or merging is off.
  std::uint32_t find(const Key& key) const {
    if (!merge_ || free_.size() == entries_.size()) return kNoSlot;
    const std::uint64_t mark = mark_of(key);
    for (std::uint32_t i = 0; i < marks_.size(); ++i)
      if (marks_[i] == mark && entries_[i].key == key) return i;
    return kNoSlot;
  }
  std::uint32_t open(const Key& key) {
    const std::uint32_t i = free_.back();
    free_.pop_back();
    entries_[i] = {key, {}};
    marks_[i] = mark_of(key);
    return i;
  }
  const Key& key(std::uint32_t i) const { return entries_[i].key; }
  SlotList& waiters(std::uint32_t i) { return entries_[i].waiters; }
  /// The waiters must be gone.
  void close(std::uint32_t i) {
    marks_[i] = 0;
    free_.push_back(i);
  }

 private:
  struct Entry {
    Key key{};
    SlotList waiters{};
  };
  static std::uint64_t mark_of(const Key& key) { return key.hash() | 1; }

  std::vector<Entry> entries_;
  std::vector<std::uint64_t> marks_;  // of the key; 0: the entry is free
  std::vector<std::uint32_t> free_;
  bool merge_;
};

}  // namespace iommusim::timing
