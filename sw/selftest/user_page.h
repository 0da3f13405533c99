// SPDX-License-Identifier: Apache-2.0
// Where a page of a program lies at this moment.
#pragma once

#include <cstdint>

#include "hal/process.h"

namespace iommusim::selftest {

/// `user_va` is page aligned. 0 or EFAULT.
inline int physical_page(hal::Process& process, std::uint64_t user_va, std::uint64_t& spa) {
  if (const int error = process.pin_page(user_va, false, spa)) return error;
  process.unpin_page(spa);
  return 0;
}

}  // namespace iommusim::selftest
