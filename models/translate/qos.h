// SPDX-License-Identifier: Apache-2.0
// QoS identifiers that go with an access to memory (IOMMU 8.1): those of iommu_qosid for the IOMMU's queues, device
// directory and messages, those of the device context for everything else.
#pragma once

#include <cstdint>

namespace iommusim::translate {

/// Both 0 without capabilities.QOSID.
struct QosId {
  std::uint16_t rcid = 0;
  std::uint16_t mcid = 0;
  friend bool operator==(QosId a, QosId b) { return a.rcid == b.rcid && a.mcid == b.mcid; }
};

}  // namespace iommusim::translate
