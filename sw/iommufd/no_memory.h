// SPDX-License-Identifier: Apache-2.0
// The border where a failed allocation becomes the errno that it is for callers of the kernel.
#pragma once

#include <cerrno>
#include <new>

namespace iommusim::iommufd {

template <class Work>
int or_enomem(Work work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
}

}  // namespace iommusim::iommufd
