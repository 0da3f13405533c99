// SPDX-License-Identifier: Apache-2.0
#include "translate/debug_interface.h"

#include "translate/registers.h"

namespace iommusim::translate {

namespace control = spec::tr_req_ctl;
namespace response = spec::tr_response;

/// IOMMU 5.25: NW = 0 asks for read and write permission (W implies R), Exe for execute; Priv counts with PV only.
Request debug_request(const Registers& registers) {
  const std::uint64_t word = registers.debug_control();
  Request request;
  request.iova = base::Iova(registers.debug_iova());
  request.bytes = 1;
  request.device = base::DeviceId(static_cast<std::uint32_t>(control::kDid.get(word)));
  request.process_valid = control::kPv.is_set(word);
  if (request.process_valid) {
    request.process = base::ProcessId(static_cast<std::uint32_t>(control::kPid.get(word)));
    request.privileged = control::kPriv.is_set(word);
  }
  request.access = control::kNw.is_set(word) ? Access::kRead : Access::kWrite;
  request.execute = control::kExe.is_set(word) && control::kNw.is_set(word);
  request.debug = true;
  return request;
}

/// IOMMU 5.26. Model: S is always 0; a range larger than the requested page is not reported.
std::uint64_t debug_response(const Outcome& outcome) {
  if (outcome.kind == Outcome::Kind::kFault) return response::kFault.mask();
  return response::kPbmt.of(outcome.pbmt) | response::kPpn.of(outcome.spa >> base::kPageShift);
}

}  // namespace iommusim::translate
