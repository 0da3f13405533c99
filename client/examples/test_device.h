/* SPDX-License-Identifier: Apache-2.0
 * The PCI test device (vendor 0x1234, device 0x11e9): it moves 4 KiB between memory and a buffer of its own.
 */
#pragma once

#include <stdio.h>
#include <string.h>

#include "ioc.h"

enum { kAddress = 0x0, kCommand = 0x8, kStart = 1, kFromMemory = 2, kBytes = 4096 };

static inline void start_transfer(struct ioc_device* device, uint64_t iova, bool from_memory) {
  ioc_write32(device, 0, kAddress, (uint32_t)iova);
  ioc_write32(device, 0, kAddress + 4, (uint32_t)(iova >> 32));
  ioc_write32(device, 0, kCommand, from_memory ? kStart | kFromMemory : kStart);
}
static inline bool transfer_runs(struct ioc_device* device) { return (ioc_read32(device, 0, kCommand) & kStart) != 0; }
static inline void transfer(struct ioc_device* device, uint64_t iova, bool from_memory) {
  start_transfer(device, iova, from_memory);
  while (transfer_runs(device)) continue;
}

/* Says what failed, if it did. */
static inline int failed(const char* what, int error) {
  if (error < 0) fprintf(stderr, "%s: %s\n", what, strerror(-error));
  return error < 0;
}
