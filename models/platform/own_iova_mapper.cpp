// SPDX-License-Identifier: Apache-2.0
#include "platform/own_iova_mapper.h"

#include <cerrno>

#include "base/error.h"
#include "platform/kernel.h"

namespace iommusim::platform {

int OwnIovaMapper::open(domain::Device& device) {
  return kernel_.open_dma(device, kernel_.dma_options(), functions_.emplace_back().domain);
}

int OwnIovaMapper::map(std::size_t function, const traces::Event& event) {
  Function& f = functions_[function];
  const MappingGroups::Range group = groups_.of(event);
  auto at = f.ranges.find(group.iova);
  if (at == f.ranges.end()) {
    Range range{group.bytes, 0};
    if (const int error = f.domain->alloc_range(group.bytes, range.iova)) return error;
    at = f.ranges.emplace(group.iova, range).first;
  }
  const std::uint64_t iova = at->second.iova + (event.iova - group.iova);
  return f.domain->link(iova, memory_ + event.pa, event.bytes, dma::Direction::kBidirectional);
}

int OwnIovaMapper::unmap(std::size_t function, std::uint64_t iova, std::uint64_t bytes) {
  Function& f = functions_[function];
  const auto begin = f.ranges.lower_bound(iova);
  const auto end = f.ranges.upper_bound(iova + (bytes - 1));
  if (begin == end) return ENOENT;
  if (std::prev(end)->first + std::prev(end)->second.bytes > iova + bytes) return EINVAL;
  for (auto at = begin; at != end; ++at) f.domain->free_range(at->second.iova, at->second.bytes);
  f.ranges.erase(begin, end);
  return 0;
}

int OwnIovaMapper::invalidate(std::size_t, std::uint64_t, std::uint64_t) { return EOPNOTSUPP; }

std::uint64_t OwnIovaMapper::address(std::size_t function, std::uint64_t iova) const {
  const auto& ranges = functions_[function].ranges;
  const auto above = ranges.upper_bound(iova);
  base::ensure(above != ranges.begin(), "a device asks where something is that is not mapped");
  const auto& [start, range] = *std::prev(above);
  base::ensure(iova - start < range.bytes, "a device asks where something is that is not mapped");
  return range.iova + (iova - start);
}

void OwnIovaMapper::close() {
  for (Function& f : functions_) {
    if (!f.domain) continue;
    for (const auto& [start, range] : f.ranges) f.domain->free_range(range.iova, range.bytes);
    f.domain->close();
  }
  functions_.clear();
}

}  // namespace iommusim::platform
