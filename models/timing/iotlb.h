// SPDX-License-Identifier: Apache-2.0
// The IOTLB: translations of all page sizes in one set-associative structure. A look-up probes each page size that is
// resident, and the global entries of the guest if there are any; the set is chosen by the page number at that size.
#pragma once

#include <array>

#include "timing/keys.h"
#include "timing/stats.h"
#include "translate/invalidation.h"

namespace iommusim::timing {

class Iotlb {
 public:
  /// `stats` is a TlbStats or an IotlbStats.
  template <class Stats>
  Iotlb(const CacheParams& params, std::uint64_t seed, Stats& stats, PrefetchStats& prefetch)
      : cache_(params, seed, "iotlb"), stats_(stats), by_size_(stats.by_size()), prefetch_(prefetch) {}

  bool enabled() const { return cache_.enabled(); }
  struct Found {
    const translate::TranslationEntry* entry = nullptr;  ///< none: a miss
    bool first_of_prefetch = false;                      ///< it was prefetched, and this is its first use
  };
  /// A counted probe. An entry whose D bit does not serve a write is a miss.
  Found probe(const translate::TranslationKey& key);
  /// The same without counting: for looking again.
  const translate::TranslationEntry* look_again(const translate::TranslationKey& key) { return use(find(key)).entry; }
  /// Whether a read would hit; that is no use.
  bool holds(const translate::TranslationKey& key) { return find(key) != nullptr; }
  void fill(const translate::TranslationKey& key, const translate::TranslationEntry& entry) { put(key, entry, false); }
  /// Nobody asked for the entry; `awaited`: but meanwhile somebody does.
  void fill_prefetched(const translate::TranslationKey& key, const translate::TranslationEntry& entry, bool awaited);
  /// A miss on that page of 4 KiB has a way for its fill; the entry in it goes now. Undone by unreserve(). Model: the
  /// set is that of a page of 4 KiB, whatever the walk will find.
  bool reserve(const PageKey& page);
  void unreserve(const PageKey& page) { cache_.unreserve(page); }
  void invalidate(const translate::Invalidation& invalidation);

 private:
  struct Held {
    translate::AddressSpaceTag space{};
    translate::TranslationEntry entry{};
    bool prefetched = false;  ///< and not used since
  };
  Held* find(const translate::TranslationKey& key);
  Found use(Held* held);
  void put(const translate::TranslationKey& key, const translate::TranslationEntry& entry, bool prefetched);
  void account(const Held& held, int by);
  void drop(const Held& held);

  Cache<PageKey, Held> cache_;
  CacheStats& stats_;
  SizeCounters by_size_;
  PrefetchStats& prefetch_;
  std::array<std::uint32_t, 64> resident_{};  // entries by size_log2
  std::uint64_t sizes_ = 0;                   // bit n: resident_[n] is not 0
  std::uint32_t globals_ = 0;
};

}  // namespace iommusim::timing
