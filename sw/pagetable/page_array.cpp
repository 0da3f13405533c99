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
// other users. Here a page of contiguous memory costs next to nothing and another one 12 bytes (0.3 %), and every
// question is a look-up. The counts are sparse, in chunks of 512 pages, because a mapping without a domain pins nothing
// and may be absurdly long (R2.14): its cost must not depend on its length. Chunks are made when pages are acquired;
// releasing only frees, so unmapping cannot fail.
//
// Order on the way out (R12.1): the caller has cleared every page table and has seen the invalidation complete before
// it releases; here pages are unpinned first and the charge is given back last, to whoever pays at that time.
#include "pagetable/page_array.h"

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <new>
#include <utility>

#include "hal/contradiction.h"

namespace iommusim::pagetable {
namespace {

constexpr std::uint64_t kPages = PageChunk::kPages;

std::uint64_t pages_of(std::uint64_t start, std::uint64_t bytes) { return (start % kPage + (bytes - 1)) / kPage + 1; }

}  // namespace

PageArray::PageArray(hal::Os& os, hal::Process& process, std::uint64_t user_va, std::uint64_t bytes, bool writable,
                     hal::LockedAccount account)
    : os_(os),
      source_(process, account, user_va - user_va % kPage),
      page_count_(pages_of(user_va, bytes)),
      writable_(writable) {}

PageArray::PageArray(hal::Os& os, hal::Process& payer, std::shared_ptr<hal::MemoryFile> file, std::uint64_t start,
                     std::uint64_t bytes, bool writable, hal::LockedAccount account)
    : os_(os),
      source_(payer, account, std::move(file), start - start % kPage),
      page_count_(pages_of(start, bytes)),
      writable_(writable) {}

PageArray::PageArray(hal::Os& os, hal::Process& payer, std::unique_ptr<DmaWindow> window, std::uint64_t bytes,
                     bool writable)
    : os_(os),
      source_(payer, hal::LockedAccount::kNone, window->start() - window->start() % kPage),
      page_count_(pages_of(window->start(), bytes)),
      window_(std::move(window)),
      writable_(writable) {}

PageArray::~PageArray() {
  const std::unique_ptr<Store> store(store_.load());
  hal::ensure(!store || store->chunks.empty(), "a page array ends with pinned pages");
}

PageArray::Store& PageArray::store() {
  if (Store* const known = store_.load(std::memory_order_acquire)) return *known;
  auto made = std::make_unique<Store>();
  made->mutex = os_.make_mutex();
  Store* other = nullptr;
  return store_.compare_exchange_strong(other, made.get(), std::memory_order_acq_rel) ? *made.release() : *other;
}

PageArray::Store& PageArray::known_store() const {
  Store* const known = store_.load(std::memory_order_acquire);
  hal::ensure(known, "pages are used that nobody acquired");
  return *known;
}

// `first` and `last` are in one chunk.
int PageArray::acquire_chunk(Store& store, std::uint64_t first, std::uint64_t last) {
  const std::uint64_t index = first / kPages;
  auto at = store.chunks.lower_bound(index);
  if (at == store.chunks.end() || at->first != index)
    at = store.chunks.try_emplace(at, index, index * kPages, std::min(kPages, page_count_ - index * kPages));
  std::uint64_t fresh = 0;
  int error = 0;
  try {
    error = at->second.acquire(source_, writable_, first % kPages, last % kPages, fresh);
  } catch (const std::bad_alloc&) {
    error = ENOMEM;
  }
  if (!at->second.in_use()) store.chunks.erase(at);
  store.pinned += error ? 0 : fresh;
  return error;
}

int PageArray::acquire_locked(std::uint64_t first, std::uint64_t last) {
  hal::ensure(first <= last && last < page_count_, "pages outside of their array");
  Store& mine = store();
  for (std::uint64_t from = first;;) {
    const std::uint64_t to = std::min(last, from | (kPages - 1));
    int error = 0;
    try {
      error = acquire_chunk(mine, from, to);
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
  Store& mine = known_store();
  std::uint64_t freed = 0;
  auto at = mine.chunks.find(first / kPages);
  for (std::uint64_t from = first;;) {
    const std::uint64_t to = std::min(last, from | (kPages - 1));
    hal::ensure(at != mine.chunks.end() && at->first == from / kPages, "a page is released that nobody acquired");
    freed += at->second.release(source_, from % kPages, to % kPages);
    at = at->second.in_use() ? std::next(at) : mine.chunks.erase(at);
    if (to == last) break;
    from = to + 1;
  }
  mine.pinned -= freed;
  if (freed != 0) source_.uncharge(freed);
}

void PageArray::prepare_cut_locked(std::uint64_t page) {
  if (page % kPages == 0) return;
  const auto at = known_store().chunks.find(page / kPages);
  if (at != known_store().chunks.end()) at->second.expand();
}

Run PageArray::run_locked(std::uint64_t byte, std::uint64_t limit) const {
  const Chunks& chunks = known_store().chunks;
  std::uint64_t page = byte / kPage;
  auto at = chunks.find(page / kPages);
  hal::ensure(at != chunks.end() && at->second.has_user(page % kPages), "a page is read that nobody acquired");
  const std::uint64_t start = at->second.spa(page % kPages);
  const std::uint64_t wanted = (byte % kPage + (limit - 1)) / kPage + 1;  // pages
  std::uint64_t pages = 0;
  for (;;) {
    const std::uint64_t here = std::min(wanted - pages, kPages - page % kPages);
    hal::ensure(at != chunks.end() && at->first == page / kPages, "a page is read that nobody acquired");
    const std::uint64_t more = at->second.run_from(page % kPages, start + pages * kPage, here);
    pages += more, page += more;
    if (more < here || pages == wanted) break;
    ++at;
  }
  return {start + byte % kPage, std::min(limit, pages * kPage - byte % kPage)};
}

std::uint64_t PageArray::pinned_pages() {
  Store* const mine = store_.load(std::memory_order_acquire);
  if (!mine) return 0;
  const std::lock_guard guard(*mine->mutex);
  return mine->pinned;
}

void PageArray::set_payer(hal::Process& payer, std::uint64_t charged) {
  Store& mine = store();
  const std::lock_guard guard(*mine.mutex);
  source_.uncharge(mine.pinned);
  source_.set_payer(payer);
  if (charged > mine.pinned) source_.uncharge(charged - mine.pinned);  // some went meanwhile
}

}  // namespace iommusim::pagetable
