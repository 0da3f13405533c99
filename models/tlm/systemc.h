// SPDX-License-Identifier: Apache-2.0
// The door to SystemC: our names for its payloads and sockets, and the two conversions of time. Inside a module time is
// integer picoseconds; sc_time appears at sockets and events only. (Namespace `bus`, because ::tlm is the standard's.)
#pragma once

#include <systemc>
#include <tlm>

#include "base/time.h"

namespace iommusim::bus {

using base::kNever;
using base::Picoseconds;

using Payload = ::tlm::tlm_generic_payload;
using TargetSocket = ::tlm::tlm_target_socket<>;
using InitiatorSocket = ::tlm::tlm_initiator_socket<>;

/// Simulated time. Right for a resolution of 1 ps, which TimedModule checks.
inline Picoseconds now_ps() { return sc_core::sc_time_stamp().value(); }
inline sc_core::sc_time to_sc_time(Picoseconds ps) { return sc_core::sc_time::from_value(ps); }

}  // namespace iommusim::bus
