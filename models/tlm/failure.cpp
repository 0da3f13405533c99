// SPDX-License-Identifier: Apache-2.0
#include "tlm/failure.h"

namespace iommusim::bus {

bool failure_kept = false;

namespace {
std::exception_ptr kept_failure;  // one simulation a process, one thread runs it
}  // namespace

void keep_failure(std::exception_ptr failure) noexcept {
  if (failure_kept) return;
  failure_kept = true;
  kept_failure = std::move(failure);
  sc_core::sc_stop();
}

void rethrow_failure() {
  if (kept_failure) std::rethrow_exception(std::exchange(kept_failure, nullptr));
}

}  // namespace iommusim::bus
