// SPDX-License-Identifier: Apache-2.0
// Address space, pins and locked-memory account of a simulated process.
#include "hal/sim_process.h"

#include <algorithm>
#include <cerrno>
#include <mutex>

#include "hal/contradiction.h"

namespace iommusim::hal {

SimProcess::SimProcess(Os& os, Memory& memory, FrameAllocator& frames, std::uint64_t locked_limit_pages)
    : memory_(memory), frames_(frames), lock_(os.make_mutex()), limit_(locked_limit_pages), descriptors_(os) {}

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
    const auto pin = pins_.find(frame);
    if (pin == pins_.end())
      frames_.free(frame, 0);
    else
      pin->second.orphan = true;
  }
}

void SimProcess::set_locked_limit(std::uint64_t pages) {
  const std::lock_guard guard(*lock_);
  limit_ = pages;
}

std::uint64_t SimProcess::pinned_pages() const {
  const std::lock_guard guard(*lock_);
  return pins_.size();
}

std::uint64_t SimProcess::locked_pages() const {
  const std::lock_guard guard(*lock_);
  return locked_;
}

int SimProcess::resolve_locked(std::uint64_t va, unsigned access, std::uint64_t& spa) {
  auto at = areas_.upper_bound(va);
  if (at == areas_.begin()) return EFAULT;
  --at;
  Area& area = at->second;
  if (va > area.last || (area.access & access) != access) return EFAULT;
  const std::uint64_t offset = va - at->first;
  if (area.linear) {
    spa = area.spa + offset;
    return 0;
  }
  std::uint64_t& frame = area.frames[offset / 4096];
  if (frame == 0) frame = frames_.alloc(0);
  if (frame == 0) return EFAULT;  // no memory left: what a killed page fault looks like to the kernel
  spa = frame + offset % 4096;
  return 0;
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
  ensure(user_va % 4096 == 0, "pin of an address inside a page");
  const std::lock_guard guard(*lock_);
  if (const int error = resolve_locked(user_va, write ? kUserWrite : kUserRead, spa_out)) return error;
  ++pins_[spa_out].count;
  return 0;
}

void SimProcess::unpin_page(std::uint64_t spa) {
  const std::lock_guard guard(*lock_);
  const auto pin = pins_.find(spa);
  ensure(pin != pins_.end(), "unpin of a page that is not pinned");
  if (--pin->second.count != 0) return;
  if (pin->second.orphan) frames_.free(spa, 0);
  pins_.erase(pin);
}

int SimProcess::charge_locked(std::uint64_t pages) {
  const std::lock_guard guard(*lock_);
  if (pages > limit_ || locked_ > limit_ - pages) return ENOMEM;
  locked_ += pages;
  return 0;
}

void SimProcess::uncharge_locked(std::uint64_t pages) {
  const std::lock_guard guard(*lock_);
  ensure(pages <= locked_, "more locked pages given back than charged");
  locked_ -= pages;
}

}  // namespace iommusim::hal
