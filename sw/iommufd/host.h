// SPDX-License-Identifier: Apache-2.0
// What all contexts of one machine share: the operating system, memory, who owns the DMA of which group, and a
// listener. Outlives them.
#pragma once

#include "hal/hardware.h"
#include "hal/os.h"
#include "iommufd/dma_ownership.h"
#include "iommufd/extra_ioctls.h"
#include "iommufd/observer.h"

namespace iommusim::iommufd {

struct Host {
  Host(hal::Os& the_os, hal::Memory& the_memory, CallObserver* listener = nullptr)
      : os(the_os), memory(the_memory), observer(listener), ownership(the_os) {}

  hal::Os& os;
  hal::Memory& memory;  ///< for accesses that copy from and to mapped pages
  CallObserver* const observer;
  // Set before the first context opens; they outlive the contexts.
  const ExtraIoctl* extra = nullptr;
  OuterIoctls* outer = nullptr;
  DmaOwnership ownership;
};

}  // namespace iommusim::iommufd
