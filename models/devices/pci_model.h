// SPDX-License-Identifier: Apache-2.0
// A device as a PCI function that software can take over: registers, DMA, interrupts, and the switches of configuration
// space that reach into the model. Who calls these is a process of the simulation, or nobody runs in between.
#pragma once

#include "base/types.h"
#include "devices/dma_master.h"
#include "devices/register_port.h"

namespace iommusim::devices {

class PciModel {
 public:
  virtual ~PciModel() = default;
  virtual bus::InitiatorSocket& socket() = 0;
  virtual bus::TargetSocket& registers() = 0;
  virtual const DmaMaster& master() const = 0;
  virtual base::DeviceId device() const = 0;
  /// Messages of MSI or MSI-X count from 0. nullptr: nobody listens. Must outlive the simulation.
  virtual void connect(InterruptSink* sink) = 0;
  /// While off no DMA is begun; what would begin waits. On at first.
  virtual void set_bus_master(bool on) = 0;
  /// No DMA is under way, and none would begin by itself.
  virtual bool idle() const = 0;
  /// As after power-on, once no DMA is under way: that of before is not begun any more, its data goes nowhere. The
  /// switch for DMA stays.
  virtual void reset() = 0;
};

}  // namespace iommusim::devices
