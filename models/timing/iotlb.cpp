// SPDX-License-Identifier: Apache-2.0
#include "timing/iotlb.h"

namespace iommusim::timing {

namespace {

unsigned kind_of(unsigned size_log2) { return size_log2 == 12 ? 0 : size_log2 == 21 ? 1 : size_log2 == 30 ? 2 : 3; }

}  // namespace

Iotlb::Held* Iotlb::find(const translate::TranslationKey& key) {
  for (std::uint64_t sizes = sizes_; sizes != 0; sizes &= sizes - 1) {
    const auto size = static_cast<unsigned>(__builtin_ctzll(sizes));
    for (unsigned global = 0; global <= (globals_ != 0 ? 1U : 0U); ++global) {
      auto* const entry = cache_.find(PageKey::make(key.tag, size, global != 0, key.iova >> size));
      if (entry != nullptr && translate::serves(entry->value.entry, key.is_write)) {
        cache_.touch(*entry);
        return &entry->value;
      }
    }
  }
  return nullptr;
}

Iotlb::Found Iotlb::use(Held* held) {
  if (held == nullptr) return {};
  const bool first = held->prefetched;
  if (first) {
    held->prefetched = false;
    ++prefetch_.useful;
  }
  return {&held->entry, first};
}

Iotlb::Found Iotlb::probe(const translate::TranslationKey& key) {
  ++stats_.lookups;
  const Found found = use(find(key));
  if (found.entry == nullptr) {
    ++stats_.misses;
    return found;
  }
  ++stats_.hits;
  ++*by_size_.hits[kind_of(found.entry->size_log2)];
  return found;
}

void Iotlb::fill_prefetched(const translate::TranslationKey& key, const translate::TranslationEntry& entry,
                            bool awaited) {
  ++prefetch_.filled;
  if (awaited) {
    ++prefetch_.useful;
    ++prefetch_.late;
  } else if (!cache_.enabled()) {
    ++prefetch_.useless;
  }
  put(key, entry, !awaited);
}

void Iotlb::put(const translate::TranslationKey& key, const translate::TranslationEntry& entry, bool prefetched) {
  if (!cache_.enabled()) return;
  // A global mapping belongs to all address spaces of its guest (IOMMU 3.1.1: G), so its key carries no PSCID.
  const bool global = entry.first.active && entry.first.global;
  const Held held{key.tag, entry, prefetched};
  const PageKey page = PageKey::make(key.tag, entry.size_log2, global, key.iova >> entry.size_log2);
  auto* const replaced = cache_.find(page);
  if (replaced != nullptr && replaced->value.prefetched) ++prefetch_.useless;
  if (cache_.insert(page, held, [this](const auto& old) { drop(old.value); })) ++stats_.evictions;
  if (replaced == nullptr) account(held, 1);
  ++stats_.fills;
  ++*by_size_.fills[kind_of(entry.size_log2)];
}

bool Iotlb::reserve(const PageKey& page) {
  using Reserved = Cache<PageKey, Held>::Reserved;
  const Reserved reserved = cache_.reserve(page, [this](const auto& old) { drop(old.value); });
  if (reserved == Reserved::kEvicted) ++stats_.evictions;
  return reserved != Reserved::kNone;
}

/// An entry goes.
void Iotlb::drop(const Held& held) {
  account(held, -1);
  if (held.prefetched) ++prefetch_.useless;
}

void Iotlb::invalidate(const translate::Invalidation& invalidation) {
  stats_.invalidated += cache_.remove_if([&](const PageKey& key, const Held& held) {
    const bool gone = translate::selects(invalidation, held.space, key.page << held.entry.size_log2, held.entry);
    if (gone) drop(held);
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
