/* SPDX-License-Identifier: Apache-2.0
 * What the files of the library share. The numbers and layouts are those of the published interface.
 */
#pragma once

#include "ioc.h"

enum {
  kBars = 6,
  kConfigRegion = 7,
  kRegionShift = 40,
};

struct ioc_context {
  const struct ioc_system* system;
  int fd;
};

static inline uint64_t ioc_address(const void* pointer) { return (uint64_t)(uintptr_t)pointer; }

static inline int ioc_call(const struct ioc_context* ioc, unsigned long command, void* argument) {
  return ioc->system->ioctl(ioc->system->self, ioc->fd, command, argument);
}
