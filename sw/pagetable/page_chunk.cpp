// SPDX-License-Identifier: Apache-2.0
// Pins go in batches, each charged before the next one is pinned. While a batch is under way its pages have an address
// and no user: what is taken back on an error is found by that.
#include "pagetable/page_chunk.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <utility>

#include "hal/contradiction.h"
#include "pagetable/scratch.h"

namespace iommusim::pagetable {
namespace {

using Addresses = std::array<std::uint64_t, PageChunk::kPages>;

}  // namespace

// Pages without a user, all or nothing. R3.8: over the limit, the batch is unpinned before anything was charged for it.
int PageChunk::pin(PageSource& source, bool writable, std::uint64_t first, std::uint64_t count, std::uint64_t* spas) {
  std::uint64_t done = 0;
  while (done < count) {
    const std::uint64_t batch = std::min(count - done, batch_pages());
    std::uint64_t pinned = 0;
    int error = 0;
    try {
      error = source.pin(base_ + first + done, batch, writable, spas + done, pinned);
    } catch (const std::bad_alloc&) {
      error = ENOMEM;
    }
    if (!error) error = source.charge(batch);
    if (error) {
      source.unpin(spas, done + pinned);
      if (done != 0) source.uncharge(done);
      return error;
    }
    done += batch;
  }
  return 0;
}

int PageChunk::pin_missing(PageSource& source, bool writable, std::uint64_t first, std::uint64_t last,
                           std::uint64_t& fresh) {
  for (std::uint64_t next = first; next <= last;) {
    if (users()[next] != 0) {
      ++next;
      continue;
    }
    std::uint64_t count = 1;
    while (next + count <= last && users()[next + count] == 0) ++count;
    if (const int error = pin(source, writable, next, count, words_.get() + next)) {
      for (std::uint64_t page = first; page < next; ++page)
        if (users()[page] == 0) source.unpin(words_.get() + page, 1);
      if (fresh != 0) source.uncharge(fresh);
      return error;
    }
    fresh += count;
    next += count;
  }
  return 0;
}

// Of a chunk without users: compact if the pages allow it.
int PageChunk::acquire_whole(PageSource& source, bool writable) {
  Addresses spas;
  if (const int error = pin(source, writable, 0, pages_, spas.data())) return error;
  std::uint32_t next = 1;
  while (next < pages_ && spas[next] == spas[0] + next * 4096ULL) ++next;
  if (next == pages_) {
    compact_spa_ = spas[0];
    compact_users_ = 1;
  } else {
    try {
      make_words();
    } catch (const std::bad_alloc&) {
      source.unpin(spas.data(), pages_);
      source.uncharge(pages_);
      return ENOMEM;
    }
    std::copy_n(spas.data(), pages_, words_.get());
    std::fill_n(users(), pages_, 1);
  }
  used_ = pages_;
  return 0;
}

int PageChunk::acquire(PageSource& source, bool writable, std::uint64_t first, std::uint64_t last,
                       std::uint64_t& fresh) {
  fresh = 0;
  if (!words_ && is_whole(first, last)) {
    if (compact_users_ != 0) {
      ++compact_users_;
      return 0;
    }
    const int error = acquire_whole(source, writable);
    if (!error) fresh = pages_;
    return error;
  }
  expand();
  if (const int error = pin_missing(source, writable, first, last, fresh)) return error;
  for (std::uint64_t page = first; page <= last; ++page) ++users()[page];
  used_ += static_cast<std::uint32_t>(fresh);
  return 0;
}

void PageChunk::make_words() { words_.reset(new std::uint64_t[pages_ + (pages_ + 1) / 2]); }

void PageChunk::expand() {
  if (words_) return;
  make_words();
  for (std::uint32_t page = 0; page < pages_; ++page) words_[page] = compact_spa_ + page * 4096ULL;
  std::fill_n(users(), pages_, compact_users_);
}

std::uint64_t PageChunk::release(PageSource& source, std::uint64_t first, std::uint64_t last) noexcept {
  if (!words_) {
    hal::ensure(compact_users_ != 0 && is_whole(first, last), "a page is released that nobody acquired");
    if (--compact_users_ != 0) return 0;
    Addresses spas;
    for (std::uint32_t page = 0; page < pages_; ++page) spas[page] = compact_spa_ + page * 4096ULL;
    source.unpin(spas.data(), pages_);
    used_ = 0;
    return pages_;
  }
  std::uint64_t freed = 0;
  std::uint64_t stretch = 0;  // pages below `page` that are to be unpinned
  for (std::uint64_t page = first; page <= last; ++page) {
    hal::ensure(users()[page] != 0, "a page is released more often than acquired");
    if (--users()[page] == 0) {
      ++stretch;
      continue;
    }
    if (stretch != 0) source.unpin(words_.get() + (page - stretch), stretch);
    freed += std::exchange(stretch, 0);
  }
  if (stretch != 0) source.unpin(words_.get() + (last + 1 - stretch), stretch);
  freed += stretch;
  used_ -= static_cast<std::uint32_t>(freed);
  return freed;
}

std::uint64_t PageChunk::run_from(std::uint64_t page, std::uint64_t spa, std::uint64_t limit) const {
  limit = std::min<std::uint64_t>(limit, pages_ - page);
  if (!words_) return compact_spa_ + page * 4096 == spa ? limit : 0;
  std::uint64_t count = 0;
  while (count < limit && words_[page + count] == spa + count * 4096) ++count;
  return count;
}

}  // namespace iommusim::pagetable
