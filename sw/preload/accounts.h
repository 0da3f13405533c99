// SPDX-License-Identifier: Apache-2.0
// Locked and pinned memory of the processes of a program, as the kernel counts them: what a user may lock in all, what
// an address space has locked, and what is pinned in it. Limits are those of the host process (RLIMIT_MEMLOCK).
#pragma once

#include <atomic>
#include <cstdint>

#include "hal/process.h"

namespace iommusim::preload {

/// One address space. Thread-safe.
struct MmAccount {
  std::atomic<std::uint64_t> pinned{0};  ///< pages, whoever pays
  std::atomic<std::uint64_t> locked{0};  ///< pages that the space itself pays
};

/// `pid` pays. 0 or ENOMEM (positive). kUser: all processes of the program have the same user.
int charge(MmAccount& mm, int pid, std::uint64_t pages, hal::LockedAccount account);
void uncharge(MmAccount& mm, std::uint64_t pages, hal::LockedAccount account);

/// As the kernel says it, of the host process.
bool has_capability(int pid, hal::ProcessCapability capability);

}  // namespace iommusim::preload
