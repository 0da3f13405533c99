// SPDX-License-Identifier: Apache-2.0
#include "devices/atc_cache.h"

namespace iommusim::devices {

namespace {

// The tag of a key: size in bits 5:0, PASID in 27:8, its validity and the privilege above, the function in
// 63:40.
constexpr unsigned kProcessShift = 8, kDeviceShift = 40;
constexpr std::uint64_t kProcessValid = 1ULL << 32;
constexpr std::uint64_t kPrivileged = 1ULL << 33;

}  // namespace

timing::PageKey AtcCache::key_of(std::uint64_t iova, const AtcSpace& space, unsigned size_log2) {
  std::uint64_t tag = size_log2 | std::uint64_t{space.device} << kDeviceShift;
  if (space.process_valid)
    tag |= kProcessValid | (std::uint64_t{space.process} << kProcessShift) | (space.privileged ? kPrivileged : 0);
  return {tag, iova >> size_log2};
}

const AtcEntry* AtcCache::find(std::uint64_t iova, const AtcSpace& space, bool is_write, bool executes) {
  for (std::uint64_t sizes = sizes_; sizes != 0; sizes &= sizes - 1) {
    auto* const entry = cache_.find(key_of(iova, space, static_cast<unsigned>(__builtin_ctzll(sizes))));
    if (entry == nullptr || !entry->value.permits(is_write, executes)) continue;
    cache_.touch(*entry);
    return &entry->value;
  }
  return nullptr;
}

bool AtcCache::fill(std::uint64_t iova, const AtcSpace& space, const AtcEntry& entry) {
  if (!cache_.enabled()) return false;
  const timing::PageKey key = key_of(iova, space, entry.size_log2);
  const bool replaces = cache_.find(key) != nullptr;
  const bool evicted = cache_.insert(key, entry, [this](const auto& old) { account(old.value.size_log2, -1); });
  if (!replaces) account(entry.size_log2, 1);
  return evicted;
}

std::uint32_t AtcCache::remove(const AtsRange& range, base::DeviceId function) {
  return cache_.remove_if([&](const timing::PageKey& key, const AtcEntry& entry) {
    const auto process = static_cast<std::uint32_t>(base::bits(key.tag, kProcessShift, 20));
    const bool gone =
        key.tag >> kDeviceShift == function.value &&
        range.touches(key.page << entry.size_log2, entry.size_log2, (key.tag & kProcessValid) != 0, process);
    if (gone) account(entry.size_log2, -1);
    return gone;
  });
}

void AtcCache::clear() {
  cache_.remove_if([](const timing::PageKey&, const AtcEntry&) { return true; });
  resident_ = {};
  sizes_ = 0;
}

void AtcCache::account(unsigned size_log2, int by) {
  resident_[size_log2] += static_cast<std::uint32_t>(by);
  if (resident_[size_log2] == 0)
    sizes_ &= ~(1ULL << size_log2);
  else
    sizes_ |= 1ULL << size_log2;
}

}  // namespace iommusim::devices
