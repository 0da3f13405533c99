// SPDX-License-Identifier: Apache-2.0
// What the performance monitor counts of a request (IOMMU 5.23): whoever drives the processes says when, this says
// which event it is and what the filters see.
#pragma once

#include "translate/cache_entries.h"
#include "translate/registers.h"
#include "translate/request.h"

namespace iommusim::translate {

/// Events 1 to 3. Model: a request through the debug interface counts as an untranslated one; messages are no requests.
inline HpmEvent event_of(const Request& request) {
  switch (request.type) {
    case AddressType::kUntranslated:
      return HpmEvent::kUntranslatedRequest;
    case AddressType::kTranslated:
      return HpmEvent::kTranslatedRequest;
    case AddressType::kAtsRequest:
      return HpmEvent::kAtsRequest;
    case AddressType::kMessage:
      return HpmEvent::kNone;
  }
  return HpmEvent::kNone;
}

/// `tag` is the address space, where there is one.
inline EventSource source_of(const Request& request, const AddressSpaceTag& tag) {
  EventSource source;
  source.device = request.device;
  source.process = request.process;
  source.process_valid = request.process_valid;
  source.gscid = tag.gscid;
  source.pscid = tag.pscid;
  source.gscid_valid = tag.second_stage;
  source.pscid_valid = tag.first_stage;
  return source;
}

}  // namespace iommusim::translate
