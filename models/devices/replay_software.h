// SPDX-License-Identifier: Apache-2.0
// The software counterpart of a trace replay: it makes and removes the mappings that the trace tells of.
#pragma once

#include "traces/event.h"

namespace iommusim::devices {

class ReplaySoftware {
 public:
  virtual ~ReplaySoftware() = default;
  /// An M or U line, or an I line of a replay with recorded invalidations, is to be executed; no later event happens
  /// until software calls TraceReplay::software_done(), from within this call or later. One request at a time. Called
  /// from a process that must not wait.
  virtual void request(const traces::Event& event) = 0;
  /// Where the device finds what an access of the trace is to. Asked only when it is mapped (or all IOVAs are the
  /// trace's).
  virtual std::uint64_t address(const traces::Event& access) const { return access.iova; }
  /// The last event is over and nothing is in flight. Called once, as above.
  virtual void finished() {}
};

}  // namespace iommusim::devices
