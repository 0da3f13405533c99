// SPDX-License-Identifier: Apache-2.0
// Address space, pins and locked-memory account of a simulated process.
#include "hal/sim_process.h"

#include <algorithm>
#include <cerrno>
#include <mutex>

#include "hal/contradiction.h"

namespace iommusim::hal {

SimProcess::SimProcess(Os& os, Memory& memory, FrameAllocator& frames, std::uint64_t locked_limit_pages,
                       std::shared_ptr<SimUser> user)
    : memory_(memory),
      frames_(frames),
      lock_(os.make_mutex()),
      limit_(locked_limit_pages),
      user_(std::move(user)),
      descriptors_(os) {}

SimProcess::~SimProcess() {
  for (auto& [va, area] : areas_) drop_area_locked(area);
}

int SimProcess::map_linear(std::uint64_t va, std::uint64_t bytes, std::uint64_t spa, unsigned access) {
  if (spa % 4096 != 0) return EINVAL;
  return insert_area(va, bytes, Area{0, access, true, spa, {}});
}

int SimProcess::map_frames(std::uint64_t va, std::uint64_t bytes, unsigned access) {
  return insert_area(va, bytes, Area{0, access, false, 0, std::vector<std::uint64_t>(bytes / 4096)});
}

int SimProcess::insert_area(std::uint64_t va, std::uint64_t bytes, Area area) {
  if (va % 4096 != 0 || bytes % 4096 != 0 || bytes == 0 || va + (bytes - 1) < va) return EINVAL;
  area.last = va + (bytes - 1);
  const std::lock_guard guard(*lock_);
  auto next = areas_.upper_bound(area.last);
  if (next != areas_.begin() && std::prev(next)->second.last >= va) return EEXIST;
  areas_.emplace_hint(next, va, std::move(area));
  return 0;
}

void SimProcess::unmap(std::uint64_t va, std::uint64_t bytes) {
  const std::lock_guard guard(*lock_);
  for (auto at = areas_.lower_bound(va); at != areas_.end() && at->second.last - va < bytes;) {
    drop_area_locked(at->second);
    at = areas_.erase(at);
  }
}

void SimProcess::drop_area_locked(Area& area) {
  for (const std::uint64_t frame : area.frames) {
    if (frame == 0) continue;
    if (pins_.pins(frame) == 0)
      frames_.free(frame, 0);
    else
      orphans_.insert(frame);
  }
}

void SimProcess::set_locked_limit(std::uint64_t pages) {
  const std::lock_guard guard(*lock_);
  limit_ = pages;
}

void SimProcess::set_capability(ProcessCapability capability, bool on) {
  const std::lock_guard guard(*lock_);
  const unsigned bit = 1U << static_cast<unsigned>(capability);
  capabilities_ = on ? capabilities_ | bit : capabilities_ & ~bit;
}

bool SimProcess::capable(ProcessCapability capability) const {
  const std::lock_guard guard(*lock_);
  return (capabilities_ >> static_cast<unsigned>(capability) & 1) != 0;
}

std::uint64_t SimProcess::pinned_pages() const {
  const std::lock_guard guard(*lock_);
  return pins_.pages();
}

std::uint64_t SimProcess::locked_pages() const {
  const std::lock_guard guard(*lock_);
  return user_locked_ + mm_locked_;
}

std::uint64_t SimProcess::mm_locked_pages() const {
  const std::lock_guard guard(*lock_);
  return mm_locked_;
}

std::uint64_t SimProcess::mm_pinned_pages() const {
  const std::lock_guard guard(*lock_);
  return mm_pinned_;
}

SimProcess::Area* SimProcess::find_area_locked(std::uint64_t va, unsigned access, std::uint64_t& offset) {
  auto at = areas_.upper_bound(va);
  if (at == areas_.begin()) return nullptr;
  --at;
  if (va > at->second.last || (at->second.access & access) != access) return nullptr;
  offset = va - at->first;
  return &at->second;
}

int SimProcess::byte_of_locked(Area& area, std::uint64_t offset, std::uint64_t& spa) {
  if (area.linear) {
    spa = area.spa + offset;
    return 0;
  }
  std::uint64_t& frame = area.frames[offset / 4096];
  if (frame == 0) frame = frames_.alloc(0);
  if (frame == 0) return EFAULT;
  spa = frame + offset % 4096;
  return 0;
}

int SimProcess::resolve_locked(std::uint64_t va, unsigned access, std::uint64_t& spa) {
  std::uint64_t offset = 0;
  Area* const area = find_area_locked(va, access, offset);
  return area ? byte_of_locked(*area, offset, spa) : EFAULT;
}

int SimProcess::copy_from_user(void* to, std::uint64_t user_va, std::size_t bytes) {
  auto* out = static_cast<unsigned char*>(to);
  while (bytes > 0) {
    const std::size_t n = std::min<std::size_t>(bytes, 4096 - user_va % 4096);
    std::uint64_t spa = 0;
    {
      const std::lock_guard guard(*lock_);
      if (const int error = resolve_locked(user_va, kUserRead, spa)) return error;
    }
    memory_.read(spa, out, n);
    user_va += n, out += n, bytes -= n;
  }
  return 0;
}

int SimProcess::copy_to_user(std::uint64_t user_va, const void* from, std::size_t bytes) {
  const auto* in = static_cast<const unsigned char*>(from);
  while (bytes > 0) {
    const std::size_t n = std::min<std::size_t>(bytes, 4096 - user_va % 4096);
    std::uint64_t spa = 0;
    {
      const std::lock_guard guard(*lock_);
      if (const int error = resolve_locked(user_va, kUserWrite, spa)) return error;
    }
    memory_.write(spa, in, n);
    user_va += n, in += n, bytes -= n;
  }
  return 0;
}

int SimProcess::pin_page(std::uint64_t user_va, bool write, std::uint64_t& spa_out) {
  std::uint64_t pinned = 0;
  return SimProcess::pin_pages(user_va, 1, write, &spa_out, pinned);
}

int SimProcess::pin_pages(std::uint64_t user_va, std::uint64_t count, bool write, std::uint64_t* spas,
                          std::uint64_t& pinned) {
  ensure(user_va % 4096 == 0, "pin of an address inside a page");
  pinned = 0;
  const std::lock_guard guard(*lock_);
  while (pinned < count) {
    std::uint64_t offset = 0;
    Area* const area = find_area_locked(user_va + pinned * 4096, write ? kUserWrite : kUserRead, offset);
    if (!area) return EFAULT;
    const std::uint64_t end = area->last - (user_va + pinned * 4096);
    for (const std::uint64_t stop = std::min(count, pinned + end / 4096 + 1); pinned < stop; ++pinned, offset += 4096) {
      if (const int error = byte_of_locked(*area, offset, spas[pinned])) return error;
      pins_.add(spas[pinned]);
    }
  }
  return 0;
}

void SimProcess::drop_pin_locked(std::uint64_t spa) {
  if (pins_.drop(spa) && !orphans_.empty() && orphans_.erase(spa) != 0) frames_.free(spa, 0);
}

void SimProcess::unpin_page(std::uint64_t spa) { SimProcess::unpin_pages(&spa, 1); }

void SimProcess::unpin_pages(const std::uint64_t* spas, std::uint64_t count) {
  const std::lock_guard guard(*lock_);
  for (std::uint64_t i = 0; i < count; ++i) drop_pin_locked(spas[i]);
}

int SimProcess::pins_of_page(std::uint64_t user_va, std::uint64_t& pins) {
  const std::lock_guard guard(*lock_);
  std::uint64_t spa = 0;
  if (const int error = resolve_locked(user_va, kUserRead, spa)) return error;
  pins = pins_.pins(spa);
  return 0;
}

int SimProcess::charge_locked(std::uint64_t pages, LockedAccount account) {
  const std::lock_guard guard(*lock_);
  if (account == LockedAccount::kMm) {
    if (pages > limit_ || mm_locked_ > limit_ - pages) return ENOMEM;
    mm_locked_ += pages;
  }
  if (account == LockedAccount::kUser) {
    if (pages > limit_) return ENOMEM;
    std::uint64_t now = user_->locked_pages;
    do {
      if (now > limit_ - pages) return ENOMEM;
    } while (!user_->locked_pages.compare_exchange_weak(now, now + pages));
    user_locked_ += pages;
  }
  mm_pinned_ += pages;
  return 0;
}

void SimProcess::uncharge_locked(std::uint64_t pages, LockedAccount account) {
  const std::lock_guard guard(*lock_);
  ensure(pages <= mm_pinned_, "more pinned pages given back than counted");
  std::uint64_t none = mm_pinned_;
  std::uint64_t& locked =
      account == LockedAccount::kMm ? mm_locked_ : (account == LockedAccount::kUser ? user_locked_ : none);
  ensure(pages <= locked, "more locked pages given back than charged");
  locked -= pages;
  if (account == LockedAccount::kUser) user_->locked_pages -= pages;
  mm_pinned_ -= pages;
}

}  // namespace iommusim::hal
