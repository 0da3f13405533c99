// SPDX-License-Identifier: Apache-2.0
#include "timing/monitor.h"

#include "base/bits.h"
#include "translate/request.h"

namespace iommusim::timing {

/// IOMMU 5.21: nothing is raised while OF is set, nothing counts while CY inhibits it.
void Monitor::find_overflow() {
  overflow_ = base::kNever;
  if (!present_) return;
  const std::uint64_t cycles = registers_.read(spec::kIohpmcyclesOffset, 8);
  if (spec::iohpmcycles::kOf.is_set(cycles) ||
      spec::iocountinh::kCy.is_set(registers_.read(spec::kIocountinhOffset, 4)))
    return;
  const base::Cycle left =
      base::mask_of(spec::iohpmcycles::kCounter.width) + 1 - spec::iohpmcycles::kCounter.get(cycles);
  if (left < base::kNever - counted_) overflow_ = counted_ + left;
}

/// IOMMU 5.23, events 1 to 3. Model: a request through the debug interface counts as an untranslated one; messages are
/// no requests.
void Monitor::count_request(const translate::Request& request) {
  using translate::HpmEvent;
  switch (request.type) {
    case translate::AddressType::kUntranslated:
      return count(HpmEvent::kUntranslatedRequest, request);
    case translate::AddressType::kTranslated:
      return count(HpmEvent::kTranslatedRequest, request);
    case translate::AddressType::kAtsRequest:
      return count(HpmEvent::kAtsRequest, request);
    case translate::AddressType::kMessage:
      return;
  }
}

void Monitor::count(translate::HpmEvent event, const translate::Request& request,
                    const translate::AddressSpaceTag& tag) {
  translate::EventSource source;
  source.device = request.device;
  source.process = request.process;
  source.process_valid = request.process_valid;
  source.gscid = tag.gscid;
  source.pscid = tag.pscid;
  source.gscid_valid = tag.second_stage;
  source.pscid_valid = tag.first_stage;
  registers_.count_event(event, source);
}

}  // namespace iommusim::timing
