// SPDX-License-Identifier: Apache-2.0
// What a system sees of any bus between devices and an IOMMU: a target socket for each port, one initiator socket
// towards the IOMMU. Which bus it is, is chosen by parameters (bus_params.h).
#pragma once

#include "timing/injector.h"
#include "tlm/systemc.h"

namespace iommusim::bus {

class Interconnect {
 public:
  virtual ~Interconnect() = default;
  virtual TargetSocket& port(unsigned index) = 0;
  virtual InitiatorSocket& to_iommu() = 0;
  /// Asked at each packet from a device; nullptr: nothing is injected. Must outlive the simulation.
  virtual void inject(timing::Injector* injector) = 0;
};

}  // namespace iommusim::bus
