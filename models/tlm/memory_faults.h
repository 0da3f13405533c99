// SPDX-License-Identifier: Apache-2.0
// Errors and delays on demand: what a memory answers instead of doing the access, or how much later it answers.
#pragma once

#include "tlm/systemc.h"

namespace iommusim::bus {

struct Injected {
  enum class Fault : std::uint8_t {
    kNone,
    kAccessFault,  ///< TLM_ADDRESS_ERROR_RESPONSE, as outside of the memory
    kPoison,       ///< TLM_GENERIC_ERROR_RESPONSE and PoisonExtension::poisoned: the data is corrupted
  };
  Fault fault = Fault::kNone;
  Picoseconds delay = 0;  ///< of the answer
};

class FaultInjector {
 public:
  virtual ~FaultInjector() = default;
  /// Called once for each timed access, at the time of its effect.
  virtual Injected inspect(unsigned port, const Payload& payload) = 0;
};

}  // namespace iommusim::bus
