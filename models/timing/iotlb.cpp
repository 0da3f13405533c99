// SPDX-License-Identifier: Apache-2.0
#include "timing/iotlb.h"

namespace iommusim::timing {

namespace {

stats::Counter& by_size(unsigned size_log2, stats::Counter& k4, stats::Counter& m2, stats::Counter& g1,
                        stats::Counter& other) {
  return size_log2 == 12 ? k4 : size_log2 == 21 ? m2 : size_log2 == 30 ? g1 : other;
}

}  // namespace

const translate::TranslationEntry* Iotlb::find(const translate::TranslationKey& key) {
  for (std::uint64_t sizes = sizes_; sizes != 0; sizes &= sizes - 1) {
    const auto size = static_cast<unsigned>(__builtin_ctzll(sizes));
    for (unsigned global = 0; global <= (globals_ != 0 ? 1U : 0U); ++global) {
      auto* const entry = cache_.find(PageKey::make(key.tag, size, global != 0, key.iova >> size));
      if (entry != nullptr && translate::serves(entry->value.entry, key.is_write)) {
        cache_.touch(*entry);
        return &entry->value.entry;
      }
    }
  }
  return nullptr;
}

const translate::TranslationEntry* Iotlb::probe(const translate::TranslationKey& key) {
  ++stats_.lookups;
  const translate::TranslationEntry* const entry = find(key);
  if (entry == nullptr) {
    ++stats_.misses;
    return nullptr;
  }
  ++stats_.hits;
  ++by_size(entry->size_log2, stats_.hits_4k, stats_.hits_2m, stats_.hits_1g, stats_.hits_other);
  return entry;
}

void Iotlb::fill(const translate::TranslationKey& key, const translate::TranslationEntry& entry) {
  if (!cache_.enabled()) return;
  // A global mapping belongs to all address spaces of its guest (IOMMU 3.1.1: G), so its key carries no PSCID.
  const bool global = entry.first.active && entry.first.global;
  const Held held{key.tag, entry};
  const PageKey page = PageKey::make(key.tag, entry.size_log2, global, key.iova >> entry.size_log2);
  const bool replaces = cache_.find(page) != nullptr;
  if (cache_.insert(page, held, [this](const auto& old) { account(old.value, -1); })) ++stats_.evictions;
  if (!replaces) account(held, 1);
  ++stats_.fills;
  ++by_size(entry.size_log2, stats_.fills_4k, stats_.fills_2m, stats_.fills_1g, stats_.fills_other);
}

void Iotlb::invalidate(const translate::Invalidation& invalidation) {
  stats_.invalidated += cache_.remove_if([&](const PageKey& key, const Held& held) {
    const bool gone = translate::selects(invalidation, held.space, key.page << held.entry.size_log2, held.entry);
    if (gone) account(held, -1);
    return gone;
  });
}

void Iotlb::account(const Held& held, int by) {
  const unsigned size = held.entry.size_log2;
  resident_[size] += static_cast<std::uint32_t>(by);
  if (resident_[size] == 0)
    sizes_ &= ~(1ULL << size);
  else
    sizes_ |= 1ULL << size;
  if (held.entry.first.active && held.entry.first.global) globals_ += static_cast<std::uint32_t>(by);
}

}  // namespace iommusim::timing
