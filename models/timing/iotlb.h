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
  Iotlb(const CacheParams& params, std::uint64_t seed, IotlbStats& stats)
      : cache_(params, seed, "iotlb"), stats_(stats) {}

  bool enabled() const { return cache_.enabled(); }
  /// A counted probe; nullptr is a miss. An entry whose D bit does not serve a write is a miss.
  const translate::TranslationEntry* probe(const translate::TranslationKey& key);
  /// The same without counting: for looking again.
  const translate::TranslationEntry* look_again(const translate::TranslationKey& key) { return find(key); }
  void fill(const translate::TranslationKey& key, const translate::TranslationEntry& entry);
  void invalidate(const translate::Invalidation& invalidation);

 private:
  struct Held {
    translate::AddressSpaceTag space{};
    translate::TranslationEntry entry{};
  };
  const translate::TranslationEntry* find(const translate::TranslationKey& key);
  void account(const Held& held, int by);

  Cache<PageKey, Held> cache_;
  IotlbStats& stats_;
  std::array<std::uint32_t, 64> resident_{};  // entries by size_log2
  std::uint64_t sizes_ = 0;                   // bit n: resident_[n] is not 0
  std::uint32_t globals_ = 0;
};

}  // namespace iommusim::timing
