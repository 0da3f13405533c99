// SPDX-License-Identifier: Apache-2.0
// Files of the program that the stack is handed by number: event files to signal, memory files to map for devices. Each
// is held by a descriptor of our own, so the program may close its own at once. Results are 0 or a negative errno.
#pragma once

#include <memory>

#include "hal/file.h"

namespace iommusim::preload {

class UserPages;

/// EINVAL: not an eventfd.
int open_event(int fd, std::shared_ptr<hal::EventSignal>& out);
/// Any file; its pins tell its kind. `fd` -1: one of the stack's own, which has no pages.
int open_memory(int fd, std::shared_ptr<hal::MemoryFile>& out);
/// Where pins of memory files go; before the first open_memory().
void set_file_pages(UserPages* pages);

}  // namespace iommusim::preload
