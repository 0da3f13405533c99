// SPDX-License-Identifier: Apache-2.0
// Errors on demand: what a memory answers instead of doing the access.
#pragma once

#include <cstdint>

namespace iommusim::bus {

enum class InjectedFault : std::uint8_t {
  kNone,
  kAccessFault,  ///< TLM_ADDRESS_ERROR_RESPONSE, as outside of the memory
  kPoison,       ///< TLM_GENERIC_ERROR_RESPONSE and PoisonExtension::poisoned: the data is corrupted
};

class FaultInjector {
 public:
  virtual ~FaultInjector() = default;
  /// Called once for each timed access, at the time of its effect.
  virtual InjectedFault inspect(unsigned port, std::uint64_t address, std::uint32_t bytes, bool write) = 0;
};

}  // namespace iommusim::bus
