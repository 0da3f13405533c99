// SPDX-License-Identifier: Apache-2.0
// Who wants to know when an ATC has the translation of a piece of DMA (or knows that there is none): the device in
// front of it, whose queues depend on that. Called in the ATC's process.
#pragma once

#include "tlm/dma_extension.h"

namespace iommusim::devices {

class AtcListener {
 public:
  virtual ~AtcListener() = default;
  /// `dma` is that of the DMA which the piece belongs to.
  virtual void translated(const bus::DmaExtension& dma) = 0;
};

}  // namespace iommusim::devices
