// SPDX-License-Identifier: Apache-2.0
#include "pagetable/payer.h"

#include <array>
#include <cerrno>
#include <mutex>
#include <unordered_map>

#include "pagetable/undo.h"

namespace iommusim::pagetable {
namespace {

using hal::LockedAccount;

bool must_change(const PageSource& source, const hal::Process& to) {
  const hal::Process& from = source.payer();
  switch (source.account()) {
    case LockedAccount::kNone:
      return false;
    case LockedAccount::kMm:
      return from.mm_identity() != to.mm_identity();
    case LockedAccount::kUser:  // the count of pinned pages is the address space's even so
      return from.user_identity() != to.user_identity() || from.mm_identity() != to.mm_identity();
  }
  return false;
}

/// The charges that a process took over, given back at the end unless kept.
struct Charges {
  explicit Charges(hal::Process& payer) : to(payer) {}
  ~Charges() {
    for (std::size_t i = 0; i < pages.size(); ++i)
      if (pages[i] != 0) to.uncharge_locked(pages[i], static_cast<LockedAccount>(i));
  }
  hal::Process& to;
  std::array<std::uint64_t, 3> pages{};
};

}  // namespace

// With every domains lock exclusive nobody pins for these areas; an address space of the context that is just ending
// may still unpin, which set_payer() takes into account.
int change_payer(const std::vector<IoPagetable*>& spaces, hal::Process& to) {
  std::vector<std::unique_lock<hal::RwLock>> locks;
  locks.reserve(spaces.size());
  std::unordered_map<PageArray*, std::uint64_t> pinned;  // of each array once
  for (IoPagetable* space : spaces) {
    locks.emplace_back(*space->domains_lock_);
    for (Area* area = space->space_.areas().first(); area; area = AreaMap::next(*area)) {
      if (!area->pages->is_memory_file()) return EINVAL;
      if (must_change(area->pages->source(), to)) pinned.emplace(area->pages.get(), 0);
    }
  }
  std::array<std::uint64_t, 3> sums{};
  for (auto& [pages, count] : pinned) {
    count = pages->pinned_pages();
    sums[static_cast<std::size_t>(pages->source().account())] += count;
  }
  Charges charges(to);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    if (sums[i] == 0) continue;
    if (const int error = to.charge_locked(sums[i], static_cast<LockedAccount>(i))) return error;
    charges.pages[i] = sums[i];
  }
  charges.pages = {};
  for (const auto& [pages, count] : pinned) pages->set_payer(to, count);
  return 0;
}

}  // namespace iommusim::pagetable
