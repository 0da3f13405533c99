// SPDX-License-Identifier: Apache-2.0
// One I/O address space with everything that follows it: page tables (domains) that show its areas, and accesses that
// use its pages directly. Every area is in every domain, or is being made or removed by one thread.
//
// Locks, in the order of taking: domains_lock_, tree lock, pages. domains_lock_ is shared by all who map and unmap, for
// the whole of the work, so maps of disjoint ranges fill page tables at the same time (R13.1); exclusive for who
// changes the set of domains, the accesses, or an option. The tree lock is for short edits and look-ups: nobody pins,
// maps, invalidates, or calls out while holding it. Errors are positive errno numbers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "domain/domain.h"
#include "hal/hardware.h"
#include "hal/os.h"
#include "pagetable/access_listener.h"
#include "pagetable/fill.h"
#include "pagetable/iova_space.h"
#include "pagetable/undo.h"

namespace iommusim::pagetable {

class Mapping;

/// A slice of a page array.
struct Slice {
  std::shared_ptr<PageArray> pages;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

enum class AccessPins { kNone, kRevocable, kLocking };  ///< kLocking: pins forbid the unmap instead of being asked back

class IoPagetable {
 public:
  explicit IoPagetable(hal::Os& os);
  /// Drops all areas. No domain, access or Mapping is left.
  ~IoPagetable();
  IoPagetable(const IoPagetable&) = delete;
  IoPagetable& operator=(const IoPagetable&) = delete;

  // Mapping: see Mapping (mapping.h) for how areas are made.
  /// The slices behind `range`, which must be mapped without a hole (ENOENT); for COPY.
  int slices_of(const Interval& range, std::vector<Slice>& out);
  /// Where the area of that number, from 0 at the low end, starts. False: there is none. For tests.
  bool area_start(std::uint64_t number, std::uint64_t& iova_out);
  /// Removes the areas inside `range`, from the low end; `removed` counts bytes, also of those gone before an error. 0,
  /// EBUSY, ENOENT (an area is only partly inside), EDEADLOCK. An empty range is no error.
  int unmap(const Interval& range, std::uint64_t& removed);
  /// Cuts the area at the end of the range, then the one at its start, so that `range` has whole areas only (R2.23). A
  /// cut at the first or the last byte of an area does nothing. 0, EBUSY, EOPNOTSUPP, EINVAL, ENOMEM; the first cut
  /// stays when the second fails.
  int cut(const Interval& range);

  // Reservations, allow-list, options.
  std::vector<Interval> unreserved(std::uint64_t& alignment);
  int allow(AllowedTree&& list);
  int reserve(const Interval& range, const void* owner);
  void unreserve(const void* owner);
  bool huge_pages();
  int set_huge_pages(bool on);

  // Domains. The page table shows all areas when add_domain returns 0, and none after remove_domain.
  int add_domain(domain::Domain& domain);
  void remove_domain(domain::Domain& domain) noexcept;
  /// Reports what was written through one of the domains in the mapped parts of the range; with `clear` forgets it.
  void read_dirty(domain::Domain& domain, const Interval& range, bool clear, domain::DirtySink& sink);
  /// Starts with everything clean, or stops. 0, or what the domain says.
  int track_dirty(domain::Domain& domain, bool on);
  /// Page sizes that all domains have; all bits without a domain.
  std::uint64_t common_page_sizes();

  // Accesses. `key` names the membership.
  int join(AccessListener& access, AccessPins pins, std::uint64_t& key);
  void leave(std::uint64_t key) noexcept;
  /// Pins the pages of the range, their physical addresses are appended in order (R6.2). On error all is as before.
  int pin(const Interval& range, bool write, AccessPins kind, std::vector<std::uint64_t>& spas);
  void unpin(const Interval& range, AccessPins kind);
  /// Copies between `buffer` and the pages behind the range (R6.4), which are resident during the copy only.
  int copy(hal::Memory& memory, const Interval& range, void* buffer, bool write);

 private:
  friend class Mapping;
  friend int change_payer(const std::vector<IoPagetable*>& spaces, hal::Process& to);
  struct Member {
    AccessListener* access;
    std::uint64_t alignment;
  };

  std::uint64_t longest_piece() const { return huge_pages_ ? kAnyLength : kPage; }
  std::uint64_t needed_alignment() const;
  int reserve_aperture_locked(const domain::Domain& domain);
  int cut_after(std::uint64_t address);
  void read_dirty_locked(domain::Domain& domain, const Interval& range, bool clear, domain::DirtySink& sink);
  void notify(const Interval& range);
  int enter_area(const Interval& rest, bool write, bool whole_pages, Area*& out);
  void leave_area(Area& area, AccessPins pinned);
  int pin_pages(Area& area, const Interval& part, std::vector<std::uint64_t>& spas);
  int copy_pages(hal::Memory& memory, Area& area, const Interval& part, unsigned char* bytes, bool write);

  hal::Os& os_;
  std::unique_ptr<hal::RwLock> domains_lock_;
  std::unique_ptr<hal::Mutex> tree_lock_;
  std::unique_ptr<hal::WaitQueue> area_quiet_;  // an area's calls became 0; with tree_lock_
  IovaSpace space_;                             // tree_lock_; an area's interval stays while domains_lock_ is exclusive
  DomainList domains_;                          // domains_lock_
  bool huge_pages_ = true;                      // domains_lock_
  std::map<std::uint64_t, Member> members_;     // tree_lock_; written with domains_lock_ exclusive
  std::uint64_t next_key_ = 1;                  // tree_lock_
  unsigned cutters_ = 0;                        // tree_lock_; threads that wait for an area without calls
};

}  // namespace iommusim::pagetable
