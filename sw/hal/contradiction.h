// SPDX-License-Identifier: Apache-2.0
// A state that the software stack itself must never reach: the run stops loudly. (The stack uses no header of the
// models, so it has its own; both are std::logic_error for whoever catches.)
#pragma once

#include <stdexcept>
#include <string>

namespace iommusim::hal {

class Contradiction : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// Not inlined: inside a noexcept function the compiler would turn the throw into a terminate without a message.
[[noreturn, gnu::noinline]] inline void contradiction(const std::string& what) { throw Contradiction(what); }

/// The stack's own invariants; never for what a user program passes.
inline void ensure(bool holds, const char* what) {
  if (!holds) contradiction(what);
}

}  // namespace iommusim::hal
