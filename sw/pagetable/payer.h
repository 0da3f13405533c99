// SPDX-License-Identifier: Apache-2.0
// Who pays for pinned file pages (R3.11).
#pragma once

#include <vector>

#include "pagetable/io_pagetable.h"

namespace iommusim::pagetable {

/// Moves the charges of all mappings of the address spaces to `to`, which outlives them. All must be of memory files
/// (EINVAL). The new one is charged first; ENOMEM if it may not, then nothing has changed. The spaces are distinct, in
/// the order in which all callers lock several of them (ids), and are kept alive by the caller.
int change_payer(const std::vector<IoPagetable*>& spaces, hal::Process& to);

}  // namespace iommusim::pagetable
