// SPDX-License-Identifier: Apache-2.0
// SIGSEGV and SIGBUS belong to the library first: a page may be on its way into the machine's memory, a register of a
// device may be meant. What is neither goes to the program's handler, which the interposed sigaction() keeps for that.
#pragma once

#include <csignal>

namespace iommusim::preload {

/// From here on the library's handler is the process's.
void catch_faults();
/// The program's sigaction() for SIGSEGV or SIGBUS, once catch_faults() was called. False: not ours to answer.
bool change_program_action(int signal, const struct sigaction* action, struct sigaction* old);

}  // namespace iommusim::preload
