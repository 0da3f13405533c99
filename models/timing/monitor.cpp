// SPDX-License-Identifier: Apache-2.0
#include "timing/monitor.h"

#include "base/bits.h"
#include "translate/request_events.h"

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

void Monitor::count_request(const translate::Request& request) { count(translate::event_of(request), request); }

void Monitor::count(translate::HpmEvent event, const translate::Request& request,
                    const translate::AddressSpaceTag& tag) {
  registers_.count_event(event, translate::source_of(request, tag));
}

}  // namespace iommusim::timing
