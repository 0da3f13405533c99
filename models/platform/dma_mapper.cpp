// SPDX-License-Identifier: Apache-2.0
#include "platform/dma_mapper.h"

#include "platform/kernel.h"

namespace iommusim::platform {

int DmaMapper::open(domain::Device& device) {
  dma::Options options = kernel_.dma_options();
  if (recorded_) options.invalidation = dma::Invalidation::kExplicit;
  return kernel_.open_dma(device, options, domains_.emplace_back());
}

int DmaMapper::map(std::size_t function, const traces::Event& event) {
  return domains_[function]->map_fixed(event.iova, memory_ + event.pa, event.bytes, dma::Direction::kBidirectional);
}

int DmaMapper::unmap(std::size_t function, std::uint64_t iova, std::uint64_t bytes) {
  return domains_[function]->unmap_fixed(iova, bytes);
}

int DmaMapper::invalidate(std::size_t function, std::uint64_t iova, std::uint64_t bytes) {
  if (bytes != 0) return domains_[function]->invalidate(iova, bytes);
  domains_[function]->flush();
  return 0;
}

void DmaMapper::close() {
  for (const auto& domain : domains_)
    if (domain) domain->close();
  domains_.clear();
}

}  // namespace iommusim::platform
