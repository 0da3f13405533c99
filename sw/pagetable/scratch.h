// SPDX-License-Identifier: Apache-2.0
// How much memory one step of pinning may work on at once. For the whole stack, and adjustable while it runs, so that
// tests force small batches; results do not depend on it.
#pragma once

#include <cstdint>

namespace iommusim::pagetable {

inline constexpr std::uint32_t kDefaultScratchBytes = 65536;
inline constexpr std::uint32_t kMinScratchBytes = 12;

/// 0, or EINVAL below kMinScratchBytes.
int set_scratch_limit(std::uint32_t bytes);
/// How many pages one batch has, at least one.
std::uint64_t batch_pages();

}  // namespace iommusim::pagetable
