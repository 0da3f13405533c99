// SPDX-License-Identifier: Apache-2.0
// Exceptions across the SystemC kernel. The kernel would turn an exception that leaves a process into a report without
// type; so each process of ours runs guarded(): the first exception is kept, the simulation stops, and whoever called
// sc_start() throws it on with rethrow_failure(). After a failure no guarded work runs any more.
#pragma once

#include <exception>
#include <utility>

#include "tlm/systemc.h"

namespace iommusim::bus {

/// Keeps the first exception and stops the simulation.
void keep_failure(std::exception_ptr failure) noexcept;
extern bool failure_kept;  ///< read through has_failed()
inline bool has_failed() noexcept { return failure_kept; }
/// To be called after each sc_start(). Throws what was kept, once.
void rethrow_failure();

template <class Body>
void guarded(Body&& body) {
  if (has_failed()) return;
  try {
    std::forward<Body>(body)();
  } catch (const sc_core::sc_unwind_exception&) {
    throw;  // the kernel ends a thread with it
  } catch (...) {
    keep_failure(std::current_exception());
  }
}

}  // namespace iommusim::bus
