// SPDX-License-Identifier: Apache-2.0
// The counters and their limits. Whoever has CAP_IPC_LOCK is not asked here: the stack takes the account kNone then.
#include "preload/accounts.h"

#include <linux/capability.h>
#include <sys/resource.h>

#include "preload/proc_status.h"
#include "preload/system_calls.h"

namespace iommusim::preload {
namespace {

std::atomic<std::uint64_t> user_locked{0};

std::uint64_t limit_pages(int pid) {
  struct {
    std::uint64_t current, most;
  } limit{RLIM_INFINITY, 0};
  sys::call(SYS_prlimit64, pid, static_cast<int>(RLIMIT_MEMLOCK), nullptr, &limit);
  return limit.current / 4096;
}

bool add(std::atomic<std::uint64_t>& counter, std::uint64_t others, std::uint64_t pages, std::uint64_t limit) {
  std::uint64_t now = counter;
  do {
    if (now + others + pages > limit) return false;
  } while (!counter.compare_exchange_weak(now, now + pages));
  return true;
}

}  // namespace

int charge(MmAccount& mm, int pid, std::uint64_t pages, hal::LockedAccount account) {
  if (account == hal::LockedAccount::kUser && !add(user_locked, 0, pages, limit_pages(pid))) return ENOMEM;
  if (account == hal::LockedAccount::kMm) {
    const std::uint64_t limit = limit_pages(pid);
    // What the program locked itself counts against the same limit.
    const std::uint64_t own = limit >= RLIM_INFINITY / 4096 ? 0 : read_status_kb(pid, "VmLck:") / 4;
    if (!add(mm.locked, own, pages, limit)) return ENOMEM;
  }
  mm.pinned += pages;
  return 0;
}

void uncharge(MmAccount& mm, std::uint64_t pages, hal::LockedAccount account) {
  if (account == hal::LockedAccount::kUser) user_locked -= pages;
  if (account == hal::LockedAccount::kMm) mm.locked -= pages;
  mm.pinned -= pages;
}

bool has_capability(int pid, hal::ProcessCapability capability) {
  const unsigned bit = capability == hal::ProcessCapability::kIpcLock ? CAP_IPC_LOCK : CAP_SYS_RESOURCE;
  struct {
    std::uint32_t version;
    int pid;
  } header{_LINUX_CAPABILITY_VERSION_3, pid};
  struct {
    std::uint32_t effective, permitted, inheritable;
  } sets[2] = {};
  return sys::call(SYS_capget, &header, sets) == 0 && (sets[bit / 32].effective >> bit % 32 & 1) != 0;
}

}  // namespace iommusim::preload
