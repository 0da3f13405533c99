// SPDX-License-Identifier: Apache-2.0
// What a program of a later time says in a longer struct, and this stack does not know, must be zero.
#pragma once

#include <algorithm>
#include <cerrno>

#include "hal/process.h"

namespace iommusim::hal {

/// 0, EFAULT, or E2BIG for a byte that is not zero in [user_va, user_va + bytes).
inline int check_zero_tail(Process& caller, std::uint64_t user_va, std::uint64_t bytes) {
  unsigned char part[256];
  while (bytes > 0) {
    const std::size_t n = std::min<std::uint64_t>(bytes, sizeof part);
    if (caller.copy_from_user(part, user_va, n) != 0) return EFAULT;
    if (std::any_of(part, part + n, [](unsigned char byte) { return byte != 0; })) return E2BIG;
    user_va += n, bytes -= n;
  }
  return 0;
}

}  // namespace iommusim::hal
