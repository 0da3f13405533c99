// SPDX-License-Identifier: Apache-2.0
// The configuration checks of directory entries and contexts (IOMMU 2.1.4, 2.2.4): pure functions of the words, of what
// the implementation has and of fctl.
#pragma once

#include "spec/contexts.h"
#include "spec/paging.h"
#include "spec/parameters.h"

namespace iommusim::spec {

/// IOMMU 2.1.4: a valid device context that must not be used (cause 259).
bool misconfigured(const DeviceContext& context, const Implementation& implementation, std::uint64_t fctl);

/// IOMMU 2.2.4: a valid process context that must not be used (cause 267). `sxl` is DC.tc.SXL.
bool misconfigured(const ProcessContext& context, const Implementation& implementation, bool sxl);

/// IOMMU 2.3.1 step 6, 2.3.2 step 8: reserved bits in a valid non-leaf directory entry.
constexpr bool directory_entry_misconfigured(std::uint64_t entry) { return (entry & ddte::kReserved) != 0; }
static_assert(ddte::kReserved == pdte::kReserved);

/// Width of the guest-physical addresses that an MSI address pattern may name (IOMMU 2.1.3.6).
unsigned msi_address_bits(const Implementation& implementation);

}  // namespace iommusim::spec
