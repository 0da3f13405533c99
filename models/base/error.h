// SPDX-License-Identifier: Apache-2.0
// The two ways a run ends early. Bad input (the user's fault) becomes an InputError: one line, exit code 2. A state
// that the program itself must never reach becomes a Contradiction: loud, with the state, exit code 1.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace iommusim::base {

/// A place in a user's file. Line and column count from 1; 0 means "not known".
struct SourcePosition {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

/// "file:line:col: " with the unknown parts left out; empty for an empty file name.
std::string to_prefix(const SourcePosition& position);

/// Bad input. what() is the whole line to show: where, what is wrong, what was expected.
class InputError : public std::runtime_error {
 public:
  explicit InputError(const std::string& message) : std::runtime_error(message) {}
  InputError(const SourcePosition& position, const std::string& message)
      : std::runtime_error(to_prefix(position) + message) {}
};

/// An internal contradiction. what() carries the state that helps to find it.
class Contradiction : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Stops the run with a Contradiction.
[[noreturn]] void contradiction(std::string_view what);

/// The program's own invariants; never for input.
inline void ensure(bool holds, const char* what) {
  if (!holds) contradiction(what);
}

}  // namespace iommusim::base
