// SPDX-License-Identifier: Apache-2.0
// A load or store of the program at a page without access rights, done by hand: the instruction is decoded (x86-64: the
// forms of mov, movzx, movsx, movnti, of two-operand arithmetic, and SSE moves of 8 and 16 bytes), the registers behind
// the page are read or written, and the processor's state becomes what the instruction would have left. An access that
// is not naturally aligned is split.
#pragma once

#include <ucontext.h>

#include <cstdint>

#include "hal/file.h"

namespace iommusim::preload {

/// `offset`: of the address that faulted. `may_read` and `may_write`: the rights that the program gave the mapping.
/// False: not an instruction that is known, or not allowed; nothing was done.
bool access_registers(ucontext_t& context, hal::MappedRegisters& registers, std::uint64_t offset, bool may_read,
                      bool may_write);

}  // namespace iommusim::preload
