// SPDX-License-Identifier: Apache-2.0
// What the engine tells the recorder of commands, faults and page requests. Translations are told by who answers them.
#include "timing/engine.h"

namespace iommusim::timing {

void Engine::record_command(base::Cycle started, base::Cycle now, const std::array<std::uint64_t, 2>& words) {
  recorder_->emit(
      record::Command{commands_recorded_++, clock_.time_of(started), clock_.time_of(now), words[0], words[1]});
}

void Engine::record_fault(const translate::FaultRecord& fault, std::uint32_t i, base::Cycle now) {
  record::Fault out;
  if (i != kNoSlot) {
    const translate::Request& request = slots_[i].process.request();
    out.id = slots_[i].timeline.id;
    out.iova = request.iova.value;
    out.access = record_access_of(request);
  }
  out.device = fault.device.value;
  if (fault.process_valid) out.process = fault.process.value;
  out.time = clock_.time_of(now);
  out.cause = fault.cause;
  out.iotval = fault.iotval;
  out.iotval2 = fault.iotval2;
  recorder_->emit(out);
}

void Engine::record_page_request(const translate::PageRequest& request, base::Cycle now) {
  record::PageRequest out;
  out.id = page_requests_recorded_++;
  out.device = request.function.device_id().value;
  if (request.process_valid) out.process = request.process.value;
  out.time = clock_.time_of(now);
  out.payload = request.payload;
  recorder_->emit(out);
}

}  // namespace iommusim::timing
