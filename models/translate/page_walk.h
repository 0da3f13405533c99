// SPDX-License-Identifier: Apache-2.0
// Where a walk of one stage's page table stands. No memory access and no decision: the translation reads the entries
// and judges them; this knows where the next entry lies and what a leaf gives.
#pragma once

#include "spec/pte.h"
#include "translate/cache_entries.h"

namespace iommusim::translate {

struct PageWalk {
  spec::PagingMode mode{};
  std::uint64_t reserved = 0;     ///< PTE bits that must be 0
  std::uint64_t address = 0;      ///< what is translated: an IOVA or a GPA
  std::uint64_t table = 0;        ///< of `level`, in the address space that the stage's pointers are in
  std::uint64_t pte_address = 0;  ///< system-physical, of the entry last asked for
  std::uint64_t pte = 0;          ///< the entry last read
  std::uint64_t page = 0;         ///< leaf: what it maps to
  StageAttributes attributes{};   ///< leaf; `active` also tells that the stage is not Bare
  std::uint8_t pbmt = 0;          ///< leaf: memory type
  std::uint8_t level = 0;
  bool global = false;  ///< a non-leaf entry above had G = 1

  bool active() const { return !mode.bare(); }
  std::uint64_t entry_offset() const { return mode.entry_offset(level, address); }

  /// Begins at the root.
  void begin(std::uint64_t walked_address, std::uint64_t root) {
    address = walked_address;
    table = root;
    level = static_cast<std::uint8_t>(mode.levels - 1);
    global = false;
  }
  void descend() {
    table = spec::next_table(pte);
    global = global || spec::pte::kG.is_set(pte);
    --level;
  }
  /// The leaf in `pte` becomes the result.
  void take_leaf() {
    page = spec::leaf_page(mode, pte, level);
    pbmt = static_cast<std::uint8_t>(spec::pte::kPbmt.get(pte));
    attributes.active = true;
    attributes.read = spec::pte::kR.is_set(pte);
    attributes.write = spec::pte::kW.is_set(pte);
    attributes.execute = spec::pte::kX.is_set(pte);
    attributes.user = spec::pte::kU.is_set(pte);
    attributes.global = global || spec::pte::kG.is_set(pte);
    attributes.dirty = spec::pte::kD.is_set(pte);
    attributes.size_log2 = spec::leaf_size_log2(mode, pte, level);
  }
  /// The stage's output for `address`, after take_leaf().
  std::uint64_t target() const { return page | (address & base::mask_of(attributes.size_log2)); }
};

}  // namespace iommusim::translate
