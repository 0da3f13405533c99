// SPDX-License-Identifier: Apache-2.0
// PCIe messages between the IOMMU and devices (IOMMU 2.7, 3.1.4), without their transport.
#pragma once

#include <cstdint>

#include "base/types.h"

namespace iommusim::translate {

/// A PCIe function: requester id, and the segment where the message names one.
struct DeviceFunction {
  std::uint16_t rid = 0;
  bool segment_valid = false;
  std::uint8_t segment = 0;
  base::DeviceId device_id() const { return base::DeviceId(std::uint32_t{segment} << 16 | rid); }
  friend bool operator==(DeviceFunction a, DeviceFunction b) {
    return a.rid == b.rid && a.segment_valid == b.segment_valid && a.segment == b.segment;
  }
};

/// What the IOMMU sends.
struct DeviceMessage {
  enum class Kind : std::uint8_t { kInvalidationRequest, kPageResponse };
  Kind kind = Kind::kInvalidationRequest;
  std::uint8_t itag = 0;  ///< kInvalidationRequest
  DeviceFunction function{};
  bool process_valid = false;
  base::ProcessId process{};
  std::uint64_t payload = 0;
};

/// A "Page Request" or "Stop Marker" message as it arrives.
struct PageRequest {
  DeviceFunction function{};
  bool process_valid = false;
  base::ProcessId process{};
  bool privileged = false;
  bool execute = false;
  std::uint64_t payload = 0;
};

/// An "Invalidation Completion" message as it arrives.
struct InvalidationCompletion {
  DeviceFunction function{};
  std::uint32_t itag_vector = 0;
  std::uint8_t count = 0;  ///< messages that answer one request; 0 means 8
};

}  // namespace iommusim::translate
