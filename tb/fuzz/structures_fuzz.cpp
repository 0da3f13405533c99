// SPDX-License-Identifier: Apache-2.0
// Directories, contexts, page tables and MSI page tables of plausible shape with some words spoilt, on the functional
// engine: each translation takes a bounded number of accesses, grants only what its leaves grant, and faults with a
// cause that fits the access. Looking without touching (peek) tells the same.
#include "structures.h"

namespace translate = iommusim::translate;
namespace base = iommusim::base;
using iommusim::fuzz::Choices;
using iommusim::fuzz::Structures;

namespace {

constexpr unsigned kRequests = 40;

void run_request(Choices& choices, Structures& structures) {
  const translate::Request request = structures.request(choices);
  structures.watch.clear();
  const translate::Outcome peeked = structures.engine.peek(request);
  base::ensure(structures.watch.changes == 0, "looking changed the memory");
  structures.watch.clear();
  const translate::Outcome outcome = structures.engine.translate(request);
  if (outcome.kind == translate::Outcome::Kind::kFault) return iommusim::fuzz::check_fault(request, outcome);
  const bool refused = request.type == translate::AddressType::kAtsRequest && !outcome.ats.r && !outcome.ats.w;
  if (structures.watch.changes == 0 && !refused)  // looking does not ask for A
    base::ensure(peeked.kind == outcome.kind && peeked.spa == outcome.spa, "looking tells another address");
  if (!outcome.bypass) structures.check_grant(request, outcome);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Choices choices(data, size);
  Structures structures(choices);
  for (unsigned i = 0; i < kRequests && !choices.empty(); ++i) run_request(choices, structures);
  return 0;
}
