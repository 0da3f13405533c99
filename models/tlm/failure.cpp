// SPDX-License-Identifier: Apache-2.0
#include "tlm/failure.h"

namespace iommusim::bus {

namespace {
std::exception_ptr kept_failure;  // one simulation a process, one thread runs it
bool failed = false;
}  // namespace

void keep_failure(std::exception_ptr failure) noexcept {
  if (failed) return;
  failed = true;
  kept_failure = std::move(failure);
  sc_core::sc_stop();
}

bool has_failed() noexcept { return failed; }

void rethrow_failure() {
  if (kept_failure) std::rethrow_exception(std::exchange(kept_failure, nullptr));
}

}  // namespace iommusim::bus
