// SPDX-License-Identifier: Apache-2.0
#include "pagetable/scratch.h"

#include <algorithm>
#include <atomic>
#include <cerrno>

namespace iommusim::pagetable {
namespace {

// Model: an address and a count for each page of a batch, as Linux's batches have for each contiguous run.
constexpr std::uint32_t kBytesAPage = 12;
std::atomic<std::uint32_t> scratch_bytes{kDefaultScratchBytes};

}  // namespace

int set_scratch_limit(std::uint32_t bytes) {
  if (bytes < kMinScratchBytes) return EINVAL;
  scratch_bytes = bytes;
  return 0;
}

std::uint64_t batch_pages() { return std::max<std::uint32_t>(1, scratch_bytes / kBytesAPage); }

}  // namespace iommusim::pagetable
