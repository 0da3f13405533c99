// SPDX-License-Identifier: Apache-2.0
// One mapping of an address space: an IOVA interval that shows a slice of a page array. Areas are disjoint. `iova`,
// `pages`, `offset` and `prot` never change; each other field names its guard (locks of IoPagetable).
#pragma once

#include <cstdint>
#include <memory>

#include "pagetable/interval.h"
#include "pagetable/page_array.h"

namespace iommusim::pagetable {

/// kCreating: being mapped by one thread, which alone may touch it. kRemoving: likewise, being unmapped. Both keep the
/// interval taken (R2.11).
enum class AreaState : std::uint8_t { kCreating, kLive, kRemoving };

struct Area;

/// An area's place in the tree of its AreaMap; tree lock.
struct AreaLinks {
  Area* parent = nullptr;
  Area* left = nullptr;
  Area* right = nullptr;
  Interval hull;              ///< from the first to the last byte of this subtree
  std::uint64_t max_gap = 0;  ///< longest hole between areas of this subtree
  std::uint32_t priority = 0;
};

struct Area {
  Area(const Interval& at, std::shared_ptr<PageArray> of, std::uint64_t first_byte, unsigned protection)
      : iova(at), pages(std::move(of)), offset(first_byte), prot(static_cast<std::uint8_t>(protection)) {}

  AreaLinks links;
  Interval iova;
  std::shared_ptr<PageArray> pages;
  std::uint64_t offset;  ///< byte of the page array that iova.start shows
  std::uint8_t prot;     ///< domain::Prot

  AreaState state = AreaState::kCreating;  ///< tree lock
  bool being_unmapped = false;             ///< tree lock; no access may pin or copy any more
  bool filled = false;                     ///< domains lock; its pages are acquired for the domains
  std::uint32_t calls = 0;                 ///< tree lock; accesses at work inside right now: an unmap waits for them
  std::uint32_t pins = 0;                  ///< tree lock; pins that accesses hold: an unmap asks for them back
  std::uint32_t locks = 0;                 ///< tree lock; pins of internal accesses: an unmap is refused

  std::uint64_t length() const { return iova.length(); }
  std::uint64_t byte_at(std::uint64_t address) const { return offset + (address - iova.start); }
  std::uint64_t first_page() const { return offset / kPage; }
  std::uint64_t last_page() const { return (offset + (length() - 1)) / kPage; }
};

}  // namespace iommusim::pagetable
