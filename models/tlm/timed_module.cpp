// SPDX-License-Identifier: Apache-2.0
#include "tlm/timed_module.h"

#include "base/error.h"

namespace iommusim::bus {

TimedModule::TimedModule(const sc_core::sc_module_name& name) : sc_module(name) {
  if (sc_core::sc_get_time_resolution() != sc_core::sc_time(1, sc_core::SC_PS))
    throw base::InputError("the SystemC time resolution is not 1 ps, which the iommusim modules expect");
  SC_HAS_PROCESS(TimedModule);
  SC_METHOD(step);
  sensitive << wake_;
  dont_initialize();
}

void TimedModule::step() {
  armed_ = kNever;
  guarded([this] {
    const Picoseconds now = now_ps();
    if (const Picoseconds next = work(now); next < armed_) arm(next, now);
  });
}

}  // namespace iommusim::bus
