// SPDX-License-Identifier: Apache-2.0
// Where records go. A sink gets rows in the order of their emission (a translation is emitted when it ends), after the
// recorder applied the sink's window and sample. It says itself when it is full.
#pragma once

#include <string>

#include "record/event.h"

namespace iommusim::record {

/// What of the run a sink wants.
struct Filter {
  Picoseconds start = 0;           ///< first time inside
  Picoseconds end = base::kNever;  ///< first time outside
  std::uint64_t sample = 1;        ///< of each kind, the first and then one in so many
};

/// Why and after what a sink is closed.
struct Closing {
  bool full = false;          ///< the size cap was reached; otherwise the run ended
  Picoseconds time = 0;       ///< of the first record that found no room, or of the last one seen
  std::uint64_t written = 0;  ///< records
  std::uint64_t outside = 0;  ///< records outside the window
  std::uint64_t not_sampled = 0;
};

class Sink {
 public:
  virtual ~Sink() = default;
  /// False: the row does not fit, and the sink wants no more. The recorder closes it then.
  virtual bool write(const Row& row) = 0;
  /// Called once, last. Leaves a complete file with a message that says what is missing from it.
  virtual void close(const Closing& closing) = 0;
};

}  // namespace iommusim::record
