// SPDX-License-Identifier: Apache-2.0
// Keys and contents of the IOMMU's address-translation caches, without their organisation: what a cached translation is
// tagged with and what it tells is architecture (IOMMU 2.8); how many there are and where they sit is
// micro-architecture.
#pragma once

#include <cstdint>

#include "base/types.h"

namespace iommusim::translate {

/// Who a cached translation belongs to. A stage that is Bare contributes no tag.
struct AddressSpaceTag {
  base::Gscid gscid{};
  base::Pscid pscid{};
  bool second_stage = false;  ///< gscid is valid
  bool first_stage = false;   ///< pscid is valid
  friend bool operator==(const AddressSpaceTag& a, const AddressSpaceTag& b) {
    return a.gscid == b.gscid && a.pscid == b.pscid && a.second_stage == b.second_stage &&
           a.first_stage == b.first_stage;
  }
};

struct TranslationKey {
  AddressSpaceTag tag{};
  std::uint64_t iova = 0;  ///< any address of the page
  bool is_write = false;   ///< the access wants to write: an entry with D = 0 in a stage does not serve it
};

/// Attributes that one stage gives to a page, as its leaf PTE had them when it was read (after the A/D update, if any).
struct StageAttributes {
  bool active = false;  ///< false: the stage is Bare and permits everything
  bool read = false, write = false, execute = false, user = false, global = false, dirty = false;
  std::uint8_t size_log2 = 64;  ///< of this stage's own page: an invalidation of any address in it removes the entry
};

/// One translation as an IOTLB holds it: both stages combined, for a naturally aligned range of 2^size_log2 bytes.
struct TranslationEntry {
  std::uint64_t spa = 0;        ///< of the range's first byte
  std::uint64_t gpa = 0;        ///< of the range's first byte; equals the IOVA when the first stage is Bare
  std::uint8_t size_log2 = 12;  ///< the smaller of the stages' pages
  std::uint8_t pbmt = 0;        ///< resolved memory type (Svpbmt encoding)
  StageAttributes first{};
  StageAttributes second{};
};

/// Whether an entry serves this access without a new walk: a write to a page whose D is 0 needs one (it must set D or
/// fault). Permissions do not matter here: an entry that denies is a hit, and the request faults.
inline bool serves(const TranslationEntry& entry, bool is_write) {
  return !is_write || ((!entry.first.active || entry.first.dirty || !entry.first.write) &&
                       (!entry.second.active || entry.second.dirty || !entry.second.write));
}

/// A position in a page-table walk. Level n entries translate the bits above 12 + 9n; the cache holds non-leaf entries,
/// so `level` is 1 or more: the entry tells where the table of level - 1 is.
struct WalkKey {
  AddressSpaceTag tag{};      ///< second-stage walks: first_stage is false and pscid 0
  bool second_stage = false;  ///< which tables are walked
  std::uint8_t levels = 0;    ///< of the mode: 3, 4, 5 (2 for Sv32)
  std::uint8_t level = 0;     ///< of the entry that is read or was read; not used by kLookupWalk
  std::uint64_t address = 0;  ///< IOVA (first stage) or GPA (second stage) being walked
};

/// log2 of what the entries of one 64-byte line of a page table translate, for entries of `key.level`.
inline unsigned line_log2(const WalkKey& key) {
  return base::kPageShift + (key.levels == 2 ? 10U * key.level + 4 : 9U * key.level + 3);
}

struct WalkEntry {
  std::uint8_t level = 0;       ///< the level of the entry; the walk goes on at level - 1
  std::uint64_t table = 0;      ///< system-physical address of the table of level - 1
  std::uint64_t table_gpa = 0;  ///< first stage under a second stage: its guest-physical address (for fault records)
  bool global = false;          ///< G was set at this level or above
};

/// An MSI page-table entry, of a VM's interrupt file.
struct MsiKey {
  base::Gscid gscid{};
  std::uint64_t gpa = 0;  ///< any address of the file's page
};
struct MsiEntry {
  std::uint64_t word0 = 0, word1 = 0;
};

/// A non-leaf entry of the device (or process) directory.
struct DirectoryKey {
  bool process_directory = false;
  base::DeviceId device{};
  base::ProcessId process{};
  std::uint8_t level = 0;  ///< kFillDirectory: level of the entry (1 or 2)
  std::uint8_t leaf_bits =
      0;  ///< width of the level-0 index (DDT: 7 base, 6 extended format; PDT: 8); above, 9 a level
};
struct DirectoryEntry {
  std::uint8_t level = 0;
  std::uint64_t table = 0;
};

}  // namespace iommusim::translate
