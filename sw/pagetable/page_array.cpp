// SPDX-License-Identifier: Apache-2.0
// Pages: pinning, sharing, accounting.
//
// What needs a page? An area that is filled, that is, shown by at least one I/O page table, needs all its pages; an
// in-kernel access needs those it pinned. However many page tables an area is in, it counts once: the first domain of
// an address space pins, a second one only reads the addresses that are there. So a second domain needs no pin, and
// works even if the process has unmapped the memory meanwhile (R3.3); and areas of several address spaces that came
// from one another by IOAS_COPY share the count, so that a page is pinned once and charged once (R3.2, R3.9).
//
// Linux saves the memory of such counts by reading addresses back from a page table and by searching its trees for
// other users. Here 16 bytes a pinned page (0.4 %) buy a structure in which every question is a look-up. It is sparse,
// in chunks of 512 pages, because a mapping without a domain pins nothing and may be absurdly long (R2.14): its cost
// must not depend on its length. Chunks are made when pages are acquired; releasing only frees, so unmapping cannot
// fail.
//
// Acquiring works chunk by chunk: pin what is missing, charge that batch, then count. If the limit is reached the batch
// is unpinned before anything was charged for it (R3.8); earlier chunks are released as usual.
//
// Order on the way out (R12.1): the caller has cleared every page table and has seen the invalidation complete before
// it releases; here pages are unpinned first and the charge is given back last, to the process that paid.
#include "pagetable/page_array.h"

#include <algorithm>
#include <cerrno>
#include <new>

#include "hal/contradiction.h"

namespace iommusim::pagetable {

PageArray::PageArray(hal::Os& os, hal::Process& process, std::uint64_t user_va, std::uint64_t bytes, bool writable)
    : process_(process),
      base_va_(user_va - user_va % kPage),
      page_count_((user_va % kPage + (bytes - 1)) / kPage + 1),
      writable_(writable),
      mutex_(os.make_mutex()) {}

PageArray::~PageArray() { hal::ensure(chunks_.empty(), "a page array ends with pinned pages"); }

std::map<std::uint64_t, PageArray::Chunk>::iterator PageArray::get_chunk(std::uint64_t index) {
  auto at = chunks_.lower_bound(index);
  if (at != chunks_.end() && at->first == index) return at;
  Chunk chunk;
  chunk.pages.resize(std::min(kChunkPages, page_count_ - index * kChunkPages));
  return chunks_.emplace_hint(at, index, std::move(chunk));
}

int PageArray::acquire_chunk(std::uint64_t first, std::uint64_t last) {
  const auto at = get_chunk(first / kChunkPages);
  Page* const pages = at->second.pages.data();
  const std::uint64_t base = at->first * kChunkPages;
  std::uint64_t next = first;  // pages below it are pinned
  std::uint64_t fresh = 0;
  int error = 0;
  try {
    for (; next <= last; ++next) {
      Page& page = pages[next - base];
      if (page.users != 0) continue;
      error = process_.pin_page(base_va_ + next * kPage, writable_, page.spa);
      if (error) break;
      ++fresh;
    }
    if (!error && fresh != 0) error = process_.charge_locked(fresh, hal::LockedAccount::kUser);
  } catch (const std::bad_alloc&) {
    error = ENOMEM;
  }
  if (error) {
    for (std::uint64_t number = first; number < next; ++number)
      if (pages[number - base].users == 0) process_.unpin_page(pages[number - base].spa);
    if (at->second.in_use == 0) chunks_.erase(at);
    return error;
  }
  for (std::uint64_t number = first; number <= last; ++number) ++pages[number - base].users;
  at->second.in_use += static_cast<std::uint32_t>(fresh);
  return 0;
}

int PageArray::acquire_locked(std::uint64_t first, std::uint64_t last) {
  hal::ensure(first <= last && last < page_count_, "pages outside of their array");
  for (std::uint64_t from = first;;) {
    const std::uint64_t to = std::min(last, from | (kChunkPages - 1));
    int error = 0;
    try {
      error = acquire_chunk(from, to);
    } catch (const std::bad_alloc&) {
      error = ENOMEM;
    }
    if (error) {
      if (from != first) release_locked(first, from - 1);
      return error;
    }
    if (to == last) return 0;
    from = to + 1;
  }
}

void PageArray::release_locked(std::uint64_t first, std::uint64_t last) noexcept {
  std::uint64_t freed = 0;
  auto at = chunks_.find(first / kChunkPages);
  for (std::uint64_t number = first; number <= last; ++number) {
    hal::ensure(at != chunks_.end() && at->first == number / kChunkPages, "a page is released that nobody acquired");
    Page& page = at->second.pages[number % kChunkPages];
    hal::ensure(page.users != 0, "a page is released more often than acquired");
    if (--page.users == 0) {
      process_.unpin_page(page.spa);
      ++freed;
      --at->second.in_use;
    }
    if (number % kChunkPages == kChunkPages - 1 || number == last)
      at = at->second.in_use == 0 ? chunks_.erase(at) : std::next(at);
  }
  if (freed != 0) process_.uncharge_locked(freed, hal::LockedAccount::kUser);
}

const PageArray::Page& PageArray::page(std::uint64_t number) const {
  const auto at = chunks_.find(number / kChunkPages);
  hal::ensure(at != chunks_.end(), "a page is read that nobody acquired");
  const Page& page = at->second.pages[number % kChunkPages];
  hal::ensure(page.users != 0, "a page is read that nobody acquired");
  return page;
}

Run PageArray::run_locked(std::uint64_t byte, std::uint64_t limit) const {
  Run run{page(byte / kPage).spa + byte % kPage, std::min(limit, kPage - byte % kPage)};
  while (run.bytes < limit) {
    const std::uint64_t next = byte + run.bytes;
    if (page(next / kPage).spa != run.spa + run.bytes) break;
    run.bytes += std::min(limit - run.bytes, kPage);
  }
  return run;
}

}  // namespace iommusim::pagetable
