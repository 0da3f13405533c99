// SPDX-License-Identifier: Apache-2.0
// Copies between a call's argument in the program's memory and a structure here. Results are 0 or -EFAULT, ready to be
// returned by an ioctl.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "hal/process.h"

namespace iommusim::vfio {

inline int copy_in(hal::Process& caller, void* to, std::uint64_t user_va, std::size_t bytes) {
  return caller.copy_from_user(to, user_va, bytes) != 0 ? -EFAULT : 0;
}
inline int copy_out(hal::Process& caller, std::uint64_t user_va, const void* from, std::size_t bytes) {
  return caller.copy_to_user(user_va, from, bytes) != 0 ? -EFAULT : 0;
}

/// The first `bytes` of a structure; the rest of it stays zero.
template <class T>
int copy_in(hal::Process& caller, T& to, std::uint64_t user_va, std::size_t bytes = sizeof(T)) {
  return copy_in(caller, static_cast<void*>(&to), user_va, bytes);
}

}  // namespace iommusim::vfio
