// SPDX-License-Identifier: Apache-2.0
// Names of what the IOMMU accesses in memory: the one list that statistics and injections read.
#pragma once

#include "base/choice.h"
#include "translate/ask.h"

namespace iommusim::timing {

/// A translate::Structure, by the same number, or one of two sets.
enum class AccessTarget : std::uint8_t { kOwn = translate::kStructureCount, kDma };

constexpr AccessTarget target_of(translate::Structure structure) { return static_cast<AccessTarget>(structure); }

inline constexpr base::Choice<AccessTarget> kAccessTargets[] = {
    {"ddt", "the device directory", target_of(translate::Structure::kDdt)},
    {"pdt", "process directories", target_of(translate::Structure::kPdt)},
    {"first_stage", "first-stage page tables", target_of(translate::Structure::kFirstStage)},
    {"second_stage", "second-stage page tables", target_of(translate::Structure::kSecondStage)},
    {"second_stage_implicit", "second-stage page tables, for the address of another table",
     target_of(translate::Structure::kSecondStageImplicit)},
    {"msi_pte", "MSI page tables", target_of(translate::Structure::kMsiPte)},
    {"mrif", "memory-resident interrupt files", target_of(translate::Structure::kMrif)},
    {"command_queue", "fetches of commands", target_of(translate::Structure::kCommandQueue)},
    {"fault_queue", "fault records", target_of(translate::Structure::kFaultQueue)},
    {"page_request_queue", "page-request records", target_of(translate::Structure::kPageRequestQueue)},
    {"fence_data", "data that fences write", target_of(translate::Structure::kFenceData)},
    {"interrupt_message", "interrupt messages", target_of(translate::Structure::kInterruptMessage)},
    {"own", "all accesses of the IOMMU itself", AccessTarget::kOwn},
    {"dma", "accesses of devices, translated", AccessTarget::kDma},
};

constexpr bool structures_come_first() {
  for (unsigned i = 0; i < translate::kStructureCount; ++i)
    if (static_cast<unsigned>(kAccessTargets[i].value) != i) return false;
  return std::size(kAccessTargets) == translate::kStructureCount + 2;
}
static_assert(structures_come_first(), "a structure has no name, or not in its place");

inline const char* name_of(AccessTarget target) { return kAccessTargets[static_cast<unsigned>(target)].name; }
inline const char* name_of(translate::Structure structure) { return name_of(target_of(structure)); }

}  // namespace iommusim::timing
