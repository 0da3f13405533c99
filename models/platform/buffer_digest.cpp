// SPDX-License-Identifier: Apache-2.0
#include "platform/buffer_digest.h"

#include <array>

#include "base/types.h"
#include "devices/pattern.h"

namespace iommusim::platform {

void BufferDigest::mapped(std::uint32_t space, std::uint64_t iova, std::uint64_t bytes, std::uint64_t spa) {
  if (!enabled_) return;
  live_[{space, iova}] = {bytes, spa};
  for (std::uint64_t offset = 0; offset < bytes; offset += base::kPageSize) ++mappings_[spa + offset];
}

void BufferDigest::unmapping(std::uint32_t space, std::uint64_t iova, std::uint64_t bytes, hal::Memory& memory) {
  const std::uint64_t last = iova + bytes - 1;
  for (auto at = live_.lower_bound({space, iova}); at != live_.end() && at->first <= Key{space, last};) {
    take(at->first, at->second, memory);
    at = live_.erase(at);
  }
}

void BufferDigest::finish(hal::Memory& memory) {
  for (const auto& [key, buffer] : live_) take(key, buffer, memory);
  live_.clear();
}

void BufferDigest::take(const Key& key, const Buffer& buffer, hal::Memory& memory) {
  std::array<std::uint8_t, base::kPageSize> page;
  std::uint64_t sum = 0;
  for (std::uint64_t offset = 0; offset < buffer.bytes; offset += page.size()) {
    const auto mappings = mappings_.find(buffer.spa + offset);
    if (--mappings->second != 0) continue;
    mappings_.erase(mappings);
    memory.read(buffer.spa + offset, page.data(), page.size());
    sum += devices::checksum(key.second + offset, page.data(), page.size());
  }
  value_ += devices::scramble(devices::scramble(key.first + key.second + 1) ^ sum);
}

}  // namespace iommusim::platform
