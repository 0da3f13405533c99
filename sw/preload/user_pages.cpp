// SPDX-License-Identifier: Apache-2.0
// Places of pages. What the kernel says about a mapping is asked anew at each pin, so nothing that the program did to
// its address space meanwhile needs to be known: a moved page is recognised by the file that it is mapped from, and so
// it keeps its place through mremap; a page that was unmapped while pinned is simply not mapped anywhere any more. Such
// pages are found by a look at all mappings once many pages have no pin.
#include "preload/user_pages.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <algorithm>

#include "hal/contradiction.h"
#include "preload/system_calls.h"

namespace iommusim::preload {
namespace {

constexpr std::uint64_t kPage = 4096;

}  // namespace

UserPages::Place UserPages::place_of(std::uint64_t spa) {
  const auto at = blocks_.find(spa / kBlockBytes);
  hal::ensure(at != blocks_.end(), "a page of the program without a place");
  return Place{at->second.get(), at->first, static_cast<unsigned>(spa / kPage % 512)};
}

bool UserPages::get_block(const Key& key, bool another, Place& out) {
  std::vector<std::uint64_t>& known = by_key_[key];
  for (const std::uint64_t index : known) {
    Block* const block = blocks_.at(index).get();
    if (another && block->state[out.slot] != State::kFree) continue;
    out.block = block, out.index = index;
    return true;
  }
  std::uint64_t index = 0;
  if (!free_blocks_.empty()) {
    index = free_blocks_.back();
  } else {
    if (next_block_ == RamFile::kBytes / kBlockBytes) return false;
    index = next_block_++;
    free_blocks_.push_back(index);
  }
  auto block = std::make_unique<Block>();
  block->key = key;
  known.push_back(index);
  out.block = block.get(), out.index = index;
  blocks_[index] = std::move(block);
  free_blocks_.pop_back();
  return true;
}

void UserPages::free_slot(const Place& place) {
  Block& block = *place.block;
  const std::uint64_t spa = spa_of(place);
  if (block.state[place.slot] == State::kMoved) {
    --idle_;
    ram_.discard(spa, kPage);
  } else {
    ram_.reset(spa, kPage);
  }
  block.state[place.slot] = State::kFree;
  if (--block.used != 0) return;
  std::vector<std::uint64_t>& known = by_key_[block.key];
  known.erase(std::find(known.begin(), known.end(), place.index));
  if (known.empty()) by_key_.erase(block.key);
  free_blocks_.push_back(place.index);
  blocks_.erase(place.index);
}

void UserPages::add_pin(const Place& place) {
  if (place.block->pins[place.slot]++ == 0 && place.block->state[place.slot] == State::kMoved) --idle_;
}

int UserPages::pin(AddressSpace& space, std::uint64_t va, std::uint64_t count, bool write, std::uint64_t* spas,
                   std::uint64_t& pinned) {
  const std::lock_guard guard(lock_);
  for (pinned = 0; pinned < count;) {
    const std::uint64_t at = va + pinned * kPage;
    Vma vma;
    if (!space.find(at, vma) || !(vma.prot & PROT_READ) || (write && !(vma.prot & PROT_WRITE))) return EFAULT;
    const std::uint64_t run = std::min(count - pinned, (vma.end - at) / kPage);
    const std::uint64_t before = pinned;
    int error = 0;
    if (ram_.is_ours(vma.device, vma.inode)) {
      error = pin_moved(vma, at, run, spas + before, pinned);
    } else if (vma.shared) {
      const std::uint64_t page = (vma.offset + (at - vma.start)) / kPage;
      error = pin_shared(Key{vma.device, vma.inode, page / 512}, static_cast<unsigned>(page % 512), run, write,
                         (vma.prot & PROT_WRITE) != 0, spas + before, pinned,
                         [&](std::uint64_t first, std::uint64_t bytes, std::uint64_t spa) {
                           const std::uint64_t from = at + first * kPage;
                           if (const int failed = space.populate(from, bytes, write)) return failed;
                           return space.share(vma, from, bytes, spa);
                         });
    } else {
      error = pin_private(space, vma, at, run, write, spas + before, pinned);
    }
    if (error) return error;
  }
  return 0;
}

int UserPages::pin_moved(const Vma& vma, std::uint64_t va, std::uint64_t count, std::uint64_t* spas,
                         std::uint64_t& pinned) {
  const std::uint64_t first = vma.offset + (va - vma.start);
  if (first < RamFile::kUserStart) return EFAULT;  // memory of the kernel that a file shows
  for (std::uint64_t i = 0; i < count; ++i) {
    spas[i] = first + i * kPage;
    add_pin(place_of(spas[i]));
    ++pinned;
  }
  return 0;
}

// A block that was made for a page that then could not be moved.
void UserPages::drop_if_unused(const Place& place) {
  if (place.block->used != 0) return;
  ++place.block->used;  // as if it had been used, so that freeing it frees the block
  ++idle_;
  place.block->state[place.slot] = State::kMoved;
  free_slot(place);
}

// A private huge page is moved as a whole: the kernel does not cut it. What is asked for is pinned afterwards.
int UserPages::move_huge(AddressSpace& space, const Vma& vma, std::uint64_t va) {
  if (vma.page_bytes != kBlockBytes) return EFAULT;
  constexpr std::uint64_t kHuge = 1ULL << 60;  // blocks of their own: used as a whole or not at all
  Place place{nullptr, 0, 0};
  if (!get_block(Key{kPrivate, reinterpret_cast<std::uint64_t>(&space), va / kBlockBytes | kHuge}, true, place))
    return ENOMEM;
  if (const int error = space.adopt(va / kBlockBytes * kBlockBytes, kBlockBytes, vma.prot, spa_of(place))) {
    drop_if_unused(place);
    return error;
  }
  place.block->state.fill(State::kMoved);
  place.block->used = 512;
  idle_ += 512;
  return 0;
}

int UserPages::pin_private(AddressSpace& space, const Vma& vma, std::uint64_t va, std::uint64_t count, bool write,
                           std::uint64_t* spas, std::uint64_t& pinned) {
  if (idle_ > collect_at_) collect(space);
  if (vma.page_bytes != kPage) return move_huge(space, vma, va);
  Place place{nullptr, 0, static_cast<unsigned>(va / kPage % 512)};
  const Key key{kPrivate, reinterpret_cast<std::uint64_t>(&space), va / kBlockBytes};
  if (!get_block(key, true, place)) return ENOMEM;
  std::uint64_t run = 1;
  while (run < std::min<std::uint64_t>(count, 512 - place.slot) && place.block->state[place.slot + run] == State::kFree)
    ++run;
  const std::uint64_t spa = spa_of(place);
  int error = vma.inode != 0 ? space.populate(va, run * kPage, write) : 0;
  if (error && run > 1) run = 1, error = space.populate(va, kPage, write);
  if (!error) error = space.adopt(va, run * kPage, vma.prot, spa);
  if (error) {
    drop_if_unused(place);
    return error;
  }
  for (std::uint64_t i = 0; i < run; ++i) {
    place.block->state[place.slot + i] = State::kMoved;
    place.block->pins[place.slot + i] = 1;
    spas[i] = spa + i * kPage;
  }
  place.block->used += static_cast<unsigned>(run);
  pinned += run;
  return 0;
}

template <class Show>
int UserPages::pin_shared(Key key, unsigned slot, std::uint64_t count, bool write, bool writable, std::uint64_t* spas,
                          std::uint64_t& pinned, Show show) {
  count = std::min<std::uint64_t>(count, 512 - slot);
  Place place{nullptr, 0, slot};
  if (!get_block(key, false, place)) return ENOMEM;
  const auto absent = [&](std::uint64_t i) {
    const State state = place.block->state[slot + i];
    return state == State::kFree || (write && state == State::kSharedReadOnly);
  };
  int error = 0;
  std::uint64_t done = 0;
  while (done < count && !error) {
    std::uint64_t run = 1;
    while (done + run < count && absent(done) && absent(done + run)) ++run;
    const std::uint64_t spa = spa_of(Place{place.block, place.index, static_cast<unsigned>(slot + done)});
    if (absent(done)) {
      error = show(done, run * kPage, spa);
      if (error && run > 1) run = 1, error = show(done, kPage, spa);  // up to the page that is missing
    }
    for (std::uint64_t i = 0; !error && i < run; ++i, ++done) {
      if (absent(done)) {
        if (place.block->state[slot + done] == State::kFree) ++place.block->used;
        place.block->state[slot + done] = writable ? State::kShared : State::kSharedReadOnly;
      }
      ++place.block->pins[slot + done];
      spas[done] = spa + i * kPage;
      ++pinned;
    }
  }
  if (error && place.block->used == 0) {
    place.block->used = 1;
    place.block->state[slot] = State::kShared;
    free_slot(place);
  }
  return error;
}

int UserPages::pin_file(int fd, std::uint64_t offset, std::uint64_t count, std::uint64_t* spas, std::uint64_t& pinned) {
  constexpr std::uint64_t kTmpfs = 0x01021994;
  struct stat status {};
  struct statfs kind {};
  pinned = 0;
  if (sys::call(SYS_fstat, fd, &status) != 0 || sys::call(SYS_fstatfs, fd, &kind) != 0) return EINVAL;
  if (static_cast<std::uint64_t>(kind.f_type) != kTmpfs || !S_ISREG(status.st_mode)) return EINVAL;
  const std::uint64_t pages = (static_cast<std::uint64_t>(status.st_size) + kPage - 1) / kPage;
  const std::lock_guard guard(lock_);
  while (pinned < count) {
    const std::uint64_t page = offset / kPage + pinned;
    if (page >= pages) return EINVAL;
    const std::uint64_t run = std::min(count - pinned, pages - page);
    const int error =
        pin_shared(Key{status.st_dev, status.st_ino, page / 512}, static_cast<unsigned>(page % 512), run, true, true,
                   spas + pinned, pinned, [&](std::uint64_t first, std::uint64_t bytes, std::uint64_t spa) {
                     void* const window = ram_.ram().base + spa;
                     const std::uint64_t from = (page + first) * kPage;
                     long failed = sys::map(window, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, from);
                     if (failed != 0) failed = sys::map(window, bytes, PROT_READ, MAP_SHARED | MAP_FIXED, fd, from);
                     if (failed != 0) return ENOMEM;
                     sys::call(SYS_madvise, window, bytes, MADV_DONTFORK);
                     return 0;
                   });
    if (error) return error;
  }
  return 0;
}

bool UserPages::drop_pin(std::uint64_t spa) {
  const Place place = place_of(spa);
  hal::ensure(place.block->pins[place.slot] != 0, "unpin of a page that is not pinned");
  if (--place.block->pins[place.slot] != 0) return false;
  if (place.block->state[place.slot] == State::kMoved) {
    ++idle_;
    if (place.block->ownerless) free_slot(place);
  } else {
    free_slot(place);
  }
  return true;
}

void UserPages::unpin(const std::uint64_t* spas, std::uint64_t count) {
  const std::lock_guard guard(lock_);
  for (std::uint64_t i = 0; i < count; ++i) drop_pin(spas[i]);
}

int UserPages::pins_of(AddressSpace& space, std::uint64_t va, std::uint64_t& pins) {
  const std::lock_guard guard(lock_);
  Vma vma;
  pins = 0;
  if (!space.find(va, vma) || !(vma.prot & PROT_READ)) return EFAULT;
  const std::uint64_t offset = vma.offset + (va - vma.start) / kPage * kPage;
  if (ram_.is_ours(vma.device, vma.inode)) {
    if (offset < RamFile::kUserStart) return 0;
    const Place place = place_of(offset);
    pins = place.block->pins[place.slot];
  } else if (vma.shared) {
    const auto known = by_key_.find(Key{vma.device, vma.inode, offset / kBlockBytes});
    if (known != by_key_.end()) pins = blocks_.at(known->second.front())->pins[offset / kPage % 512];
  }
  return 0;
}

void UserPages::collect(AddressSpace& space) {
  struct Range {
    std::uint64_t first, end;
  };
  std::vector<Range> mapped;
  const auto window = reinterpret_cast<std::uint64_t>(ram_.ram().base);
  space.for_each([&](const Vma& vma) {
    const bool is_window = vma.start >= window && vma.start < window + RamFile::kBytes;
    if (ram_.is_ours(vma.device, vma.inode) && !is_window)
      mapped.push_back({vma.offset, vma.offset + (vma.end - vma.start)});
  });
  std::sort(mapped.begin(), mapped.end(), [](const Range& a, const Range& b) { return a.first < b.first; });
  std::vector<Place> unused;
  for (const auto& [index, block] : blocks_) {
    if (block->key.device != kPrivate || block->key.inode != reinterpret_cast<std::uint64_t>(&space)) continue;
    for (unsigned slot = 0; slot < 512; ++slot) {
      if (block->state[slot] != State::kMoved || block->pins[slot] != 0) continue;
      const Place place{block.get(), index, slot};
      const std::uint64_t spa = spa_of(place);
      const auto after = std::upper_bound(mapped.begin(), mapped.end(), spa,
                                          [](std::uint64_t value, const Range& range) { return value < range.first; });
      if (after == mapped.begin() || spa >= std::prev(after)->end) unused.push_back(place);
    }
  }
  for (const Place& place : unused) free_slot(place);
  collect_at_ = std::max<std::uint64_t>(2048, 2 * idle_);
}

void UserPages::forget(AddressSpace& space) {
  const std::lock_guard guard(lock_);
  std::vector<Place> unused;
  for (const auto& [index, block] : blocks_) {
    if (block->key.device != kPrivate || block->key.inode != reinterpret_cast<std::uint64_t>(&space)) continue;
    block->ownerless = true;
    for (unsigned slot = 0; slot < 512; ++slot)
      if (block->state[slot] == State::kMoved && block->pins[slot] == 0)
        unused.push_back(Place{block.get(), index, slot});
  }
  for (const Place& place : unused) free_slot(place);
}

std::uint64_t UserPages::moved_pages() {
  const std::lock_guard guard(lock_);
  std::uint64_t pages = 0;
  for (const auto& [index, block] : blocks_)
    pages += static_cast<std::uint64_t>(std::count(block->state.begin(), block->state.end(), State::kMoved));
  return pages;
}

}  // namespace iommusim::preload
