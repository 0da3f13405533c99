// SPDX-License-Identifier: Apache-2.0
// A module with one SC_METHOD that sleeps until the earliest thing it can do. work() does all that is possible now and
// tells when there will be more; calls from sockets note what they bring and wake the module up. Idle costs nothing.
#pragma once

#include "tlm/failure.h"

namespace iommusim::bus {

class TimedModule : public sc_core::sc_module {
 public:
  /// At `time` (now at the earliest, in a later delta cycle) work() runs. Any time, any caller.
  void wake_at(Picoseconds time) {
    if (time < armed_) arm(time, now_ps());
  }

 protected:
  explicit TimedModule(const sc_core::sc_module_name& name);
  /// Returns the time of the next thing to do, kNever if only a call from outside can bring it.
  virtual Picoseconds work(Picoseconds now) = 0;

 private:
  void step();
  void arm(Picoseconds time, Picoseconds now) {
    armed_ = time;
    if (time <= now)
      wake_.notify(sc_core::SC_ZERO_TIME);
    else
      wake_.notify(to_sc_time(time - now));  // replaces a later one
  }

  sc_core::sc_event wake_;
  Picoseconds armed_ = kNever;
};

}  // namespace iommusim::bus
