// SPDX-License-Identifier: Apache-2.0
// Data of a program that only a driver understands: the core hands over where it lies, the driver copies and judges it.
// The address is one of the program's own space; nothing is read before a driver asks. Errors are positive errno
// numbers.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

#include "hal/process.h"
#include "hal/zero_tail.h"

namespace iommusim::domain {

/// One structure. `type` says which; a length of 0 says that there is none.
struct UserData {
  hal::Process* process = nullptr;
  std::uint32_t type = 0;
  std::uint32_t length = 0;
  std::uint64_t address = 0;

  bool given() const { return length != 0; }
  /// The structure that the driver knows by `size` bytes, and whose first version had `min_length`. What a shorter one
  /// lacks reads as zero. EINVAL: shorter than the first version, or longer than what is known (no zero tail here).
  /// EFAULT.
  int read(void* to, std::size_t size, std::size_t min_length) const {
    if (length < min_length || length > size) return EINVAL;
    std::memset(to, 0, size);
    return process->copy_from_user(to, address, length) != 0 ? EFAULT : 0;
  }
  /// Back to the program, as far as its own length goes. 0 or EFAULT.
  int write(const void* from, std::size_t size) const {
    return process->copy_to_user(address, from, std::min<std::size_t>(size, length)) != 0 ? EFAULT : 0;
  }
};

/// An array of structures, all `entry_length` bytes apart and long.
struct UserArray {
  hal::Process* process = nullptr;
  std::uint32_t type = 0;
  std::uint32_t entry_length = 0;
  std::uint32_t count = 0;
  std::uint64_t address = 0;

  /// Entry `index`, for drivers that fetch one at a time. EINVAL: not exactly `size` bytes. EFAULT.
  int read_entry(std::uint32_t index, void* to, std::size_t size) const {
    if (entry_length != size) return EINVAL;
    return process->copy_from_user(to, address + std::uint64_t{index} * entry_length, size) != 0 ? EFAULT : 0;
  }
  /// All entries, for drivers that fetch everything first. Shorter ones are extended by zeros; E2BIG: a longer one is
  /// not zero beyond `size`. EFAULT. Entry may be any trivially copyable structure.
  template <class Entry>
  int read_all(std::vector<Entry>& to) const {
    to.clear();  // and no more than what is there: a program may name any count
    const std::size_t known = std::min<std::size_t>(entry_length, sizeof(Entry));
    for (std::uint32_t index = 0; index < count; ++index) {
      const std::uint64_t from = address + std::uint64_t{index} * entry_length;
      to.emplace_back();
      if (process->copy_from_user(&to.back(), from, known) != 0) return EFAULT;
      if (const int error = hal::check_zero_tail(*process, from + known, entry_length - known)) return error;
    }
    return 0;
  }
};

}  // namespace iommusim::domain
