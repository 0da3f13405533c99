// SPDX-License-Identifier: Apache-2.0
// /proc/PID/status with pinned and locked memory as Linux would show it: the host's text, and what the machine pinned.
#pragma once

#include <cstdint>
#include <string>

namespace iommusim::preload {

/// A line "NAME:  n kB" of the host's status; `pid` 0 is the caller. 0 when there is none.
std::uint64_t read_status_kb(int pid, const char* name);
/// The path names a status file of /proc: its process (0: the caller), else -1.
int status_process(const char* path);
/// The host's text with `pinned_kb` and `locked_kb` added to its lines VmPin and VmLck; empty: no such process.
std::string patched_status(int pid, std::uint64_t pinned_kb, std::uint64_t locked_kb);

}  // namespace iommusim::preload
