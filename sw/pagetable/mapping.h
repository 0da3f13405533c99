// SPDX-License-Identifier: Apache-2.0
// One mapping as a transaction (R2.13): the steps place() and fill() build it where nobody sees it, publish() makes it
// real and cannot fail, and without publish() the end of the object takes everything back. Between place() and the end
// the interval is taken (R2.11). Holds the domains lock shared from begin to end, so the set of domains stands still;
// one thread uses it, and maps nothing else in the same address space meanwhile.
#pragma once

#include <cstdint>
#include <shared_mutex>
#include <vector>

#include "pagetable/io_pagetable.h"

namespace iommusim::pagetable {

class Mapping {
 public:
  explicit Mapping(IoPagetable& space);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  /// Takes the interval for the slices, one area each, back to back. `iova` is the place with `fixed`, else receives
  /// it. 0, or the errno of uapi 3.4 rows 7 to 9; EPERM for a write mapping of pages that were mapped read-only
  /// (R2.17).
  int place(const std::vector<Slice>& slices, unsigned prot, bool fixed, std::uint64_t& iova);
  /// Shows the areas in all domains; nothing without a domain (R2.14).
  int fill();
  void publish() noexcept;

 private:
  int check(const Slice& slice, unsigned prot, std::uint64_t iova) const;

  IoPagetable& space_;
  std::shared_lock<hal::RwLock> domains_guard_;
  std::vector<Area*> areas_;  // in the tree, in state kCreating
};

}  // namespace iommusim::pagetable
