// SPDX-License-Identifier: Apache-2.0
// The side of the process that has the machine: serves the calls of one child of fork, in a thread of its own, with the
// child's address space and descriptors. It holds the files that the child holds, so a context lives until both have
// closed it.
#pragma once

#include <map>
#include <memory>

#include "preload/descriptors.h"

namespace iommusim::preload {

struct Running;
class Runtime;

using ChildFiles = std::map<std::uint64_t, std::shared_ptr<OpenFile>>;

/// Starts the thread; it ends when the child closes its end, takes `socket` over, and waits for the child's hello
/// first. False: there was no child.
bool serve_child(Runtime& runtime, Running& running, int socket, ChildFiles files);

inline std::uint64_t id_of(const std::shared_ptr<OpenFile>& file) {
  return reinterpret_cast<std::uint64_t>(file.get());
}

}  // namespace iommusim::preload
