// SPDX-License-Identifier: Apache-2.0
// Tests of SystemC modules. SystemC elaborates once a process, so SC_TEST runs its body in a child process of its own:
// it may build modules, start the simulation, and use EXPECT_* as any test does.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <functional>
#include <new>
#include <type_traits>

#include "tlm/failure.h"

namespace iommusim::sc_test {

/// Runs `body` in a forked child; a failure, an exception or a crash there fails the calling test.
void in_child(const std::function<void()>& body);

/// What `body` makes in a forked child.
template <class Result, class Body>
Result made_in_child(Body&& body) {
  static_assert(std::is_trivially_copyable_v<Result>);
  void* shared = mmap(nullptr, sizeof(Result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto* result = new (shared) Result{};
  in_child([&] { *result = body(); });
  const Result copy = *result;
  munmap(shared, sizeof(Result));
  return copy;
}

/// Simulates up to and with `time` (absolute); throws what a process threw. (sc_start() leaves what happens exactly at
/// the end, and each further delta cycle, to the next call.)
inline void run_to(bus::Picoseconds time) {
  if (time > bus::now_ps()) sc_core::sc_start(bus::to_sc_time(time - bus::now_ps()));
  while (!bus::has_failed() && sc_core::sc_pending_activity_at_current_time()) sc_core::sc_start(sc_core::SC_ZERO_TIME);
  bus::rethrow_failure();
}
/// Simulates until nothing is left to do.
inline void run_out() {
  sc_core::sc_start();
  bus::rethrow_failure();
}

}  // namespace iommusim::sc_test

#define SC_TEST(suite, name)                                            \
  static void suite##_##name##_in_child();                              \
  TEST(suite, name) {                                                   \
    ::iommusim::sc_test::in_child([] { suite##_##name##_in_child(); }); \
  }                                                                     \
  static void suite##_##name##_in_child()
