// SPDX-License-Identifier: Apache-2.0
// How a function of libc is replaced: a definition under another C++ name and the same linker name, so that it need not
// repeat how libc's headers declare it. NEXT(name) is libc's own. Everything else in the library is hidden.
#pragma once

#include <dlfcn.h>

#include <cerrno>
#include <cstdint>

#include "preload/runtime.h"
#include "preload/system_calls.h"

#define IOMMUSIM_INTERPOSE(result, name, ...)                                                   \
  extern "C" [[gnu::visibility("default")]] result iommusim_##name(__VA_ARGS__) __asm__(#name); \
  result iommusim_##name(__VA_ARGS__)
#define IOMMUSIM_NEXT(name)                                                                             \
  ([]() {                                                                                               \
    static const auto function = reinterpret_cast<decltype(&iommusim_##name)>(dlsym(RTLD_NEXT, #name)); \
    return function;                                                                                    \
  }())

namespace iommusim::preload {

/// The result of a system call as libc gives it.
inline long as_libc(long result) {
  if (result >= 0) return result;
  errno = static_cast<int>(-result);
  return -1;
}

/// A path that may lead into the tree, for the length of a call.
class Redirected {
 public:
  explicit Redirected(const char* path) : path_(Runtime::get().tree().redirect(path, buffer_)) {}
  const char* get() const { return path_; }

 private:
  char buffer_[4096];
  const char* const path_;
};

/// A memory file with this text, read from its start: what open() of a file gives that is made up at that moment.
int open_text(const std::string& text, int flags);
/// open() in all its forms.
int open_any(int directory, const char* path, int flags, unsigned mode);

}  // namespace iommusim::preload
