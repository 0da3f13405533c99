// SPDX-License-Identifier: Apache-2.0
// Begin and end of the process, and its threads.
#include <pthread.h>

#include "preload/interpose/interpose.h"

namespace iommusim::preload {
namespace {

[[gnu::constructor]] void library_begins() {
  if (Runtime::get().active())
    pthread_atfork([] { Runtime::get().before_fork(); }, [] { Runtime::get().after_fork_in_parent(); },
                   [] { Runtime::get().after_fork_in_child(); });
}
[[gnu::destructor]] void library_ends() { Runtime::get().finish(); }

}  // namespace
}  // namespace iommusim::preload

using namespace iommusim::preload;  // NOLINT: names of libc below

IOMMUSIM_INTERPOSE(int, pthread_create, pthread_t* out, const pthread_attr_t* attributes, void* (*body)(void*),
                   void* argument) {
  if (!Runtime::get().starts_machine()) program_has_threads();
  return IOMMUSIM_NEXT(pthread_create)(out, attributes, body, argument);
}
