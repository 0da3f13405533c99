// SPDX-License-Identifier: Apache-2.0
// One set-associative structure for all caches of the IOMMU. Keys are plain values with hash(), index(), space() and
// ==; what a key means, and which entries an invalidation selects, is the business of the wrapper. Sets of many ways
// (fully associative ones above all) are found through a hash index, so a look-up costs the same at 16 and at 4096
// ways.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "timing/params.h"

namespace iommusim::timing {

template <class Key, class Value>
class Cache {
 public:
  struct Entry {
    Key key{};
    Value value{};
    bool valid = false;
  };

  /// `name` is for messages. InputError for parameters that contradict each other.
  Cache(const CacheParams& params, std::uint64_t seed, const std::string& name) {
    if (params.entries == 0) return;
    if (const char* const what = params.contradiction(); what != nullptr) throw base::InputError(name + ": " + what);
    ways_ = params.resolved_ways();
    sets_ = params.entries / ways_;
    entries_.resize(params.entries);
    prefer_free_ = params.prefer_free;
    index_ = params.index;
    while ((1ULL << index_bits_) < sets_) ++index_bits_;
    free_heads_.assign(sets_, kNone);
    free_nexts_.assign(params.entries, kNone);
    free_counts_.assign(sets_, 0);
    reserved_.assign(sets_, 0);
    for (std::uint32_t i = params.entries; i-- > 0;) push_free(i);
    policy_ = make_replacement(params.policy, sets_, ways_, seed);
    if (ways_ > kScanWays) {
      std::size_t buckets = 1;
      while (buckets < 2 * std::size_t{params.entries}) buckets *= 2;
      heads_.assign(buckets, kNone);
      nexts_.assign(params.entries, kNone);
    }
  }

  bool enabled() const { return sets_ != 0; }
  std::uint32_t size() const { return size_; }

  /// The entry of that key, or nullptr. Does not tell the policy.
  Entry* find(const Key& key) {
    if (size_ == 0) return nullptr;
    const std::uint64_t hash = key.hash();
    if (!heads_.empty()) {
      for (std::uint32_t i = heads_[hash & (heads_.size() - 1)]; i != kNone; i = nexts_[i])
        if (entries_[i].key == key) return &entries_[i];
      return nullptr;
    }
    Entry* const first = &entries_[std::size_t{set_of(key)} * ways_];
    for (Entry* e = first; e != first + ways_; ++e)
      if (e->valid && e->key == key) return e;
    return nullptr;
  }

  /// Tells the policy that `entry` was used.
  void touch(const Entry& entry) {
    const auto i = index_of(entry);
    policy_->hit(i / ways_, i % ways_);
  }

  /// Puts the pair in, over an entry of the same key, else over an invalid way, else over the policy's victim.
  /// Returns true when a valid entry of another key gave way. A structure that is off swallows it.
  template <class OnEvict>
  bool insert(const Key& key, const Value& value, OnEvict&& on_evict) {
    if (!enabled()) return false;
    if (Entry* const same = find(key)) {
      same->value = value;
      touch(*same);
      return false;
    }
    const std::uint32_t set = set_of(key);
    const bool policy_chooses = (!prefer_free_ && reserved_[set] == 0) || free_heads_[set] == kNone;
    const auto victim = policy_chooses ? set * ways_ + policy_->victim(set) : free_heads_[set];
    const bool evicted = entries_[victim].valid;
    if (evicted) {
      on_evict(entries_[victim]);
      remove(entries_[victim]);
    }
    const std::uint32_t i = take_free(set, victim);
    entries_[i] = {key, value, true};
    ++size_;
    link(i);
    policy_->fill(set, i % ways_);
    return evicted;
  }

  enum class Reserved : std::uint8_t { kNone, kFree, kEvicted };
  /// Sees to it that the key's set has an invalid way for a fill to come, undone by unreserve(): one that nobody has
  /// reserved, else the policy's victim goes now. kNone: all of the set (that the policy names) is reserved. A fill
  /// that did not reserve may take the way nevertheless; then the policy finds another.
  template <class OnEvict>
  Reserved reserve(const Key& key, OnEvict&& on_evict) {
    if (!enabled()) return Reserved::kNone;
    const std::uint32_t set = set_of(key);
    if (free_counts_[set] > reserved_[set]) {
      ++reserved_[set];
      return Reserved::kFree;
    }
    std::uint32_t way = policy_->victim(set);
    // An invalid way is one that a fill to come wants: to the policy it is as good as filled.
    for (std::uint32_t left = ways_; !entries_[set * ways_ + way].valid; --left) {
      if (left == 0 || free_counts_[set] == ways_) return Reserved::kNone;
      policy_->fill(set, way);
      way = policy_->victim(set);
    }
    Entry& entry = entries_[set * ways_ + way];
    on_evict(entry);
    remove(entry);
    policy_->fill(set, way);
    ++reserved_[set];
    return Reserved::kEvicted;
  }
  void unreserve(const Key& key) { --reserved_[set_of(key)]; }

  /// Removes each valid entry for which `selected(key, value)` holds; how many.
  template <class Selected>
  std::uint32_t remove_if(Selected&& selected) {
    if (size_ == 0) return 0;
    std::uint32_t removed = 0;
    for (Entry& entry : entries_)
      if (entry.valid && selected(entry.key, entry.value)) {
        remove(entry);
        ++removed;
      }
    return removed;
  }

  void remove(Entry& entry) {
    const auto i = index_of(entry);
    unlink(i);
    entry.valid = false;
    push_free(i);
    --size_;
  }

  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const Entry& entry : entries_)
      if (entry.valid) visit(entry.key, entry.value);
  }

 private:
  static constexpr std::uint32_t kNone = ~0U;
  static constexpr std::uint32_t kScanWays = 8;

  std::uint32_t set_of(const Key& key) const {
    if (sets_ == 1) return 0;
    return static_cast<std::uint32_t>((index_ == Index::kLow ? key.index() : folded(key)) % sets_);
  }
  std::uint64_t folded(const Key& key) const {
    std::uint64_t left = key.index() ^ (index_ == Index::kFoldedSpace ? key.space() : 0), result = 0;
    for (; left != 0; left >>= index_bits_) result ^= left & base::mask_of(index_bits_);
    return result;
  }
  std::uint32_t index_of(const Entry& entry) const { return static_cast<std::uint32_t>(&entry - entries_.data()); }
  void push_free(std::uint32_t i) {
    free_nexts_[i] = free_heads_[i / ways_];
    free_heads_[i / ways_] = i;
    ++free_counts_[i / ways_];
  }
  /// Takes that way out of the set's stack of invalid ones.
  std::uint32_t take_free(std::uint32_t set, std::uint32_t i) {
    std::uint32_t* at = &free_heads_[set];
    while (*at != i) at = &free_nexts_[*at];
    *at = free_nexts_[i];
    --free_counts_[set];
    return i;
  }
  void link(std::uint32_t i) {
    if (heads_.empty()) return;
    std::uint32_t& head = heads_[entries_[i].key.hash() & (heads_.size() - 1)];
    nexts_[i] = head;
    head = i;
  }
  void unlink(std::uint32_t i) {
    if (heads_.empty()) return;
    std::uint32_t* at = &heads_[entries_[i].key.hash() & (heads_.size() - 1)];
    while (*at != i) at = &nexts_[*at];
    *at = nexts_[i];
  }

  std::uint32_t sets_ = 0, ways_ = 0, size_ = 0;
  bool prefer_free_ = true;
  Index index_ = Index::kLow;
  unsigned index_bits_ = 1;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> free_heads_, free_nexts_;  // a stack of invalid ways per set
  std::vector<std::uint32_t> free_counts_, reserved_;   // by set: invalid ways, and those that fills to come want
  std::vector<std::uint32_t> heads_, nexts_;            // hash index: chains of entry numbers
  std::unique_ptr<Replacement> policy_;
};

/// Mixes the bits of a 64-bit word (the finaliser of SplitMix64).
inline std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

}  // namespace iommusim::timing
