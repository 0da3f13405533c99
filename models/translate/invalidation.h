// SPDX-License-Identifier: Apache-2.0
// What an invalidation command selects (IOMMU 3.1.1 IOTINVAL, 3.1.3 IODIR). `selects` states the tables of the
// specification once; caches apply it to their own entries.
#pragma once

#include <cstdint>

#include "translate/cache_entries.h"

namespace iommusim::translate {

struct Invalidation {
  enum class Kind : std::uint8_t { kVma, kGvma, kDdt, kPdt };
  Kind kind = Kind::kVma;
  bool address_valid = false;   ///< AV
  bool pscid_valid = false;     ///< PSCV
  bool gscid_valid = false;     ///< GV
  bool device_valid = false;    ///< DV
  bool non_leaf = false;        ///< NL extension
  std::uint64_t address = 0;    ///< first byte of the range: an IOVA (VMA) or a GPA (GVMA)
  std::uint8_t size_log2 = 12;  ///< of the range; more than 12 with the S extension
  base::Gscid gscid{};
  base::Pscid pscid{};
  base::DeviceId device{};
  base::ProcessId process{};
};

/// Cached translation of `iova_page` (first byte of the entry's range) under `tag`.
bool selects(const Invalidation& invalidation, const AddressSpaceTag& tag, std::uint64_t iova_page,
             const TranslationEntry& entry);
/// Cached non-leaf page-table entry.
bool selects(const Invalidation& invalidation, const WalkKey& key, const WalkEntry& entry);
/// Page-table entries of `key.level` that were read together as one 64-byte line, leaves among them.
bool selects_line(const Invalidation& invalidation, const WalkKey& key);
/// Cached MSI page-table entry.
bool selects(const Invalidation& invalidation, const MsiKey& key);
/// Cached device context (kDdt), and process contexts, which go with their device.
bool selects_device(const Invalidation& invalidation, base::DeviceId device);
bool selects_process(const Invalidation& invalidation, base::DeviceId device, base::ProcessId process);
bool selects(const Invalidation& invalidation, const DirectoryKey& key);

}  // namespace iommusim::translate
