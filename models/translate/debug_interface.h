// SPDX-License-Identifier: Apache-2.0
// The translation-request interface for debug (IOMMU 5.24 to 5.26): a request made of registers, and a response
// register made of an outcome. Whoever drives the IOMMU translates the one and gives back the other.
#pragma once

#include "translate/translation.h"

namespace iommusim::translate {

class Registers;

/// The request that tr_req_iova and tr_req_ctl describe; valid while registers.debug_busy().
Request debug_request(const Registers& registers);
/// tr_response for this outcome.
std::uint64_t debug_response(const Outcome& outcome);

}  // namespace iommusim::translate
