// SPDX-License-Identifier: Apache-2.0
// Keys of the caches: the tag and the page number packed into two words. index() chooses the set, hash() the bucket.
#pragma once

#include "base/types.h"
#include "timing/cache.h"
#include "translate/cache_entries.h"

namespace iommusim::timing {

/// Tag and page number of a cached translation or of a cached non-leaf entry. `kind` tells entries of one structure
/// apart that may share a page number: the page size, or the number of levels of the mode.
struct PageKey {
  std::uint64_t tag = 0;
  std::uint64_t page = 0;

  static PageKey make(const translate::AddressSpaceTag& space, unsigned kind, bool global, std::uint64_t page) {
    return {(std::uint64_t{space.gscid.value} << 32) | (global ? 0 : std::uint64_t{space.pscid.value} << 12) |
                (space.second_stage ? 1U << 8 : 0U) | (space.first_stage ? 1U << 7 : 0U) | (global ? 1U << 6 : 0U) |
                kind,
            page};
  }
  std::uint64_t hash() const { return mix(page ^ (tag * 0x9e3779b97f4a7c15ULL)); }
  std::uint64_t index() const { return page; }
  std::uint64_t space() const { return mix(tag); }
  friend bool operator==(const PageKey& a, const PageKey& b) { return a.tag == b.tag && a.page == b.page; }
};

inline PageKey page_key_of(const translate::MsiKey& key) {
  translate::AddressSpaceTag space;
  space.gscid = key.gscid;
  return PageKey::make(space, 0, false, key.gpa >> base::kPageShift);
}

/// A device, a process of a device, or the part of such a number that selects a non-leaf directory entry.
struct ContextKey {
  std::uint64_t id = 0;

  static ContextKey of_device(base::DeviceId device) { return {device.value}; }
  static ContextKey of_process(base::DeviceId device, base::ProcessId process) {
    return {(std::uint64_t{device.value} << kProcessBits) | process.value};
  }
  /// The entry of `level` on the way to what `key` names.
  static ContextKey of_directory(const translate::DirectoryKey& key, unsigned level) {
    const unsigned shift = key.leaf_bits + 9 * (level - 1);
    if (!key.process_directory) return {(std::uint64_t{level} << 32) | (key.device.value >> shift)};
    return {(1ULL << 63) | (std::uint64_t{level} << 48) | (std::uint64_t{key.device.value} << kProcessBits) |
            (key.process.value >> shift)};
  }
  base::DeviceId device_of_process() const { return base::DeviceId(static_cast<std::uint32_t>(id >> kProcessBits)); }
  base::ProcessId process() const {
    return base::ProcessId(static_cast<std::uint32_t>(id & ((1U << kProcessBits) - 1)));
  }
  std::uint64_t hash() const { return mix(id); }
  std::uint64_t index() const { return id; }
  std::uint64_t space() const { return mix(id >> kProcessBits); }
  friend bool operator==(const ContextKey& a, const ContextKey& b) { return a.id == b.id; }

 private:
  static constexpr unsigned kProcessBits = 20;
};

}  // namespace iommusim::timing
