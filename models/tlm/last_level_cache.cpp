// SPDX-License-Identifier: Apache-2.0
#include "tlm/last_level_cache.h"

#include <algorithm>

namespace iommusim::bus {

namespace {

timing::CacheParams geometry_of(const LastLevelCacheParams& params) {
  if (!base::is_power_of_two(params.line_bytes))
    throw base::InputError("memory.cache.line_bytes is " + std::to_string(params.line_bytes) +
                           ", expected a power of two");
  if (params.bytes % (std::uint64_t{params.line_bytes} * params.ways) != 0)
    throw base::InputError("memory.cache.bytes is " + std::to_string(params.bytes) +
                           ", expected a multiple of line_bytes times ways, " +
                           std::to_string(std::uint64_t{params.line_bytes} * params.ways));
  timing::CacheParams out;
  out.entries = static_cast<std::uint32_t>(params.bytes / params.line_bytes);
  out.ways = params.ways;
  out.policy = params.policy;
  return out;
}

}  // namespace

LastLevelCache::LastLevelCache(const LastLevelCacheParams& params, std::uint64_t seed, Dram& cells,
                               stats::Group& parent)
    : params_(params), cells_(cells), lines_(geometry_of(params), seed, "memory.cache"), stats_(parent, "cache") {}

LastLevelCache::Picoseconds LastLevelCache::access(MemoryClient client, bool write, std::uint64_t address,
                                                   std::uint32_t bytes, Picoseconds at) {
  Picoseconds done = at;
  const std::uint64_t end = address + bytes;
  for (std::uint64_t first = address; first < end;) {
    const std::uint64_t number = first / params_.line_bytes;
    const std::uint64_t next = std::min(end, (number + 1) * params_.line_bytes);
    done = std::max(done, line(client, write, number, static_cast<std::uint32_t>(next - first), at));
    first = next;
  }
  return done;
}

LastLevelCache::Picoseconds LastLevelCache::line(MemoryClient client, bool write, std::uint64_t number,
                                                 std::uint32_t bytes, Picoseconds at) {
  const Picoseconds looked_up = at + params_.hit_ns * 1000;
  LastLevelCacheStats::Client& counts = count(client);
  ++counts.lookups;
  const std::uint64_t address = number * params_.line_bytes;
  const bool enters = allocates(client, write);
  if (auto* const held = lines_.find({number})) {
    ++counts.hits;
    lines_.touch(*held);
    if (write && !enters) return cells_.access(address, bytes, looked_up);
    held->value.written |= write;
    if (write || held->value.there <= looked_up) return looked_up;
    ++stats_.late_hits;
    return held->value.there;
  }
  ++counts.misses;
  if (!enters) return cells_.access(address, bytes, looked_up);
  const bool whole = write && bytes == params_.line_bytes;
  const Picoseconds there = whole ? looked_up : cells_.access(address, params_.line_bytes, looked_up);
  ++stats_.fills;
  lines_.insert({number}, Line{there, write}, [&](const auto& old) {
    if (!old.value.written) return;
    ++stats_.write_backs;
    cells_.access(old.key.line * params_.line_bytes, params_.line_bytes, looked_up);
  });
  return write ? looked_up : there;
}

bool LastLevelCache::allocates(MemoryClient client, bool write) const {
  if (client == MemoryClient::kIommu) return params_.allocate_iommu;
  if (client == MemoryClient::kDma) return write ? params_.allocate_dma_writes : params_.allocate_dma_reads;
  return true;
}

LastLevelCacheStats::Client& LastLevelCache::count(MemoryClient client) {
  switch (client) {
    case MemoryClient::kIommu:
      return stats_.iommu;
    case MemoryClient::kDma:
      return stats_.dma;
    default:
      return stats_.processor;
  }
}

}  // namespace iommusim::bus
