// SPDX-License-Identifier: Apache-2.0
// What the functional engine remembers to be fast: device and process contexts, non-leaf page-table entries, and whole
// outcomes by request and page. Direct-mapped, without a model of any hardware. The invariant: nothing stays that an
// invalidation command selects. More may go: a command drops everything of its kind at once, by a new generation
// (IOMMU 2.8 asks no cache to remember).
#pragma once

#include <vector>

#include "base/bits.h"
#include "params/describe.h"
#include "translate/translation.h"

namespace iommusim::translate {

struct FunctionalCacheParams {
  std::uint32_t translations = 1024;
  std::uint32_t contexts = 64;
  std::uint32_t walk_entries = 1024;

  template <class V>
  static constexpr void describe(V&& v) {
    using P = FunctionalCacheParams;
    using params::Range;
    using params::Unit;
    v("translations", &P::translations, Unit::kCount, Range{0, 1 << 24},
      "outcomes by request and 4 KiB page; 0 or a power of two");
    v("contexts", &P::contexts, Unit::kCount, Range{0, 1 << 24},
      "device contexts, and as many process contexts; 0 or a power of two");
    v("walk_entries", &P::walk_entries, Unit::kCount, Range{0, 1 << 24},
      "non-leaf page-table entries of both stages; 0 or a power of two");
  }
  static FunctionalCacheParams none() { return {0, 0, 0}; }
};

/// Two words: who, and which page or number.
struct FunctionalKey {
  std::uint64_t who = 0;
  std::uint64_t which = 0;
  std::uint64_t index() const { return which + (who * 0x9e3779b97f4a7c15ULL >> 40); }
  friend bool operator==(const FunctionalKey& a, const FunctionalKey& b) {
    return a.who == b.who && a.which == b.which;
  }
};

/// Each key has one place.
template <class Value>
class DirectMapped {
 public:
  using Key = FunctionalKey;
  /// `entries` is 0 or a power of two.
  explicit DirectMapped(std::uint32_t entries) : entries_(entries), mask_(std::uint64_t{entries} - 1) {}

  Value* find(const Key& key) {
    if (entries_.empty()) return nullptr;
    Entry& entry = entries_[key.index() & mask_];
    return entry.generation == generation_ && entry.key == key ? &entry.value : nullptr;
  }
  void put(const Key& key, const Value& value) {
    if (!entries_.empty()) entries_[key.index() & mask_] = {key, generation_, value};
  }
  void clear() { ++generation_; }

 private:
  struct Entry {
    Key key{};
    std::uint64_t generation = 0;
    Value value{};
  };
  std::vector<Entry> entries_;
  std::uint64_t mask_ = 0;
  std::uint64_t generation_ = 1;
};

class FunctionalCaches {
 public:
  /// InputError for a size that is neither 0 nor a power of two.
  explicit FunctionalCaches(const FunctionalCacheParams& params);

  /// The outcome of an earlier request like this one in the same 4 KiB page, made to fit this one; nullptr: not known.
  const Outcome* find(const Request& request) {
    Outcome* const held = outcomes_.find(key_of(request));
    if (held != nullptr)
      held->spa =
          (held->spa & ~base::mask_of(base::kPageShift)) | (request.iova.value & base::mask_of(base::kPageShift));
    return held;
  }
  /// Keeps what may be kept: a translation, not of an ATS request, not to an interrupt file, not for the debugger.
  void keep(const Request& request, const Outcome& outcome);

  const spec::DeviceContext* device(const Ask& ask) { return devices_.find({ask.device.value, 0}); }
  const spec::ProcessContext* process(const Ask& ask) { return processes_.find({ask.device.value, ask.process.value}); }
  /// The deepest entry known.
  const WalkEntry* walk(const WalkKey& key);
  void fill(const Ask& ask);

  void invalidate(const Invalidation& invalidation);
  /// Another device directory is in force.
  void clear();

 private:
  static FunctionalKey key_of(const Request& request) {
    return {std::uint64_t{request.device.value} | std::uint64_t{request.process.value} << 24 |
                std::uint64_t{request.process_valid} << 44 | std::uint64_t{request.privileged} << 45 |
                std::uint64_t{request.execute} << 46 | std::uint64_t{request.debug} << 47 |
                static_cast<std::uint64_t>(request.type) << 48 | static_cast<std::uint64_t>(request.access) << 52,
            request.iova.value >> base::kPageShift};
  }
  static FunctionalKey key_of(const WalkKey& key, unsigned level);

  DirectMapped<Outcome> outcomes_;
  DirectMapped<spec::DeviceContext> devices_;
  DirectMapped<spec::ProcessContext> processes_;
  DirectMapped<WalkEntry> walks_;
};

}  // namespace iommusim::translate
