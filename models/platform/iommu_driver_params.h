// SPDX-License-Identifier: Apache-2.0
// The driver of the IOMMU, where it can do more than Linux's. The defaults are Linux's ways: with them no command,
// register access or page-table bit differs. And what a device's functions can do with PASIDs.
#pragma once

#include "drivers/riscv/options.h"
#include "params/describe.h"

namespace iommusim::platform {

inline constexpr base::Choice<drivers::riscv::DirtyTracking> kDirtyTrackings[] = {
    {"off", "not offered", drivers::riscv::DirtyTracking::kOff},
    {"hardware", "offered where the IOMMU sets D in page tables (amo_hwad)", drivers::riscv::DirtyTracking::kHardware},
    {"always", "elsewhere, too: there every page that may be written counts as written",
     drivers::riscv::DirtyTracking::kAlways},
};

struct IommuDriverParams {
  bool range_invalidation = false;
  bool non_leaf_invalidation = false;
  std::uint64_t command_limit = 0;
  std::uint32_t command_batch = 1;
  drivers::riscv::DirtyTracking dirty_tracking = drivers::riscv::DirtyTracking::kHardware;

  template <class V>
  static constexpr void describe(V&& v) {
    using base::Unit;
    using params::Range;
    using P = IommuDriverParams;
    v("range_invalidation", &P::range_invalidation,
      "an unmap sends a command a naturally aligned range, not a page, where the IOMMU has it (s)");
    v("non_leaf_invalidation", &P::non_leaf_invalidation,
      "an unmap that frees page tables invalidates by address all the same, where the IOMMU has it (nl)");
    v("command_limit", &P::command_limit, Unit::kCount, Range{0, 1ULL << 52},
      "an unmap that needs more commands invalidates the whole address space; 0: no limit");
    v("command_batch", &P::command_batch, Unit::kCount, Range{1, 64},
      "commands that share a move of the queue's tail, at most; with 1 each has its own");
    v("dirty_tracking", &P::dirty_tracking, kDirtyTrackings, "what programs learn of written pages");
  }

  void apply(drivers::riscv::RiscvIommuOptions& options) const {
    options.range_invalidation = range_invalidation;
    options.non_leaf_invalidation = non_leaf_invalidation;
    options.command_limit = command_limit;
    options.command_batch = command_batch;
    options.dirty_tracking = dirty_tracking;
  }
};

struct PasidParams {
  std::uint32_t bits = 0;
  bool execute = false;
  bool privileged = false;

  template <class V>
  static constexpr void describe(V&& v) {
    using P = PasidParams;
    v("bits", &P::bits, base::Unit::kBits, params::Range{0, 20}, "Max PASID Width; 0: its functions have no PASIDs");
    v("execute", &P::execute, "requests with a PASID may ask for execution");
    v("privileged", &P::privileged, "requests with a PASID may ask for privileged mode");
  }
};

}  // namespace iommusim::platform
