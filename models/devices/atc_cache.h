// SPDX-License-Identifier: Apache-2.0
// The translations that a device holds, of all sizes in one set-associative structure; a look-up probes each size that
// is resident. Entries are tagged with the function, the PASID and the privilege of the request that brought them; the
// set is chosen by the page number alone.
// Model: a Global entry serves the PASID that asked for it and no other.
#pragma once

#include <array>

#include "devices/ats_format.h"
#include "timing/keys.h"

namespace iommusim::devices {

/// Whose address it is.
struct AtcSpace {
  bool process_valid = false;
  bool privileged = false;
  std::uint32_t process = 0;
  std::uint32_t device = 0;
  friend bool operator==(const AtcSpace& a, const AtcSpace& b) {
    return a.device == b.device && a.process_valid == b.process_valid && a.privileged == b.privileged &&
           a.process == b.process;
  }
};

struct AtcEntry {
  std::uint64_t target = 0;  ///< of the first byte
  std::uint8_t size_log2 = 12;
  bool read = false, write = false, execute = false;
  bool untranslated_only = false;

  bool permits(bool is_write, bool executes) const { return is_write ? write : executes ? execute : read; }
  std::uint64_t target_of(std::uint64_t iova) const { return target + (iova & base::mask_of(size_log2)); }
};

class AtcCache {
 public:
  AtcCache(const timing::CacheParams& params, std::uint64_t seed) : cache_(params, seed, "atc.cache") {}

  /// An entry that permits the access, or nullptr.
  const AtcEntry* find(std::uint64_t iova, const AtcSpace& space, bool is_write, bool executes);
  /// Of the range around `iova`. True: a valid entry gave way.
  bool fill(std::uint64_t iova, const AtcSpace& space, const AtcEntry& entry);
  /// Those of one function. How many went.
  std::uint32_t remove(const AtsRange& range, base::DeviceId function);
  void clear();
  std::uint32_t size() const { return cache_.size(); }

 private:
  static timing::PageKey key_of(std::uint64_t iova, const AtcSpace& space, unsigned size_log2);
  void account(unsigned size_log2, int by);

  timing::Cache<timing::PageKey, AtcEntry> cache_;
  std::array<std::uint32_t, 64> resident_{};  // entries by size_log2
  std::uint64_t sizes_ = 0;                   // bit n: resident_[n] is not 0
};

}  // namespace iommusim::devices
