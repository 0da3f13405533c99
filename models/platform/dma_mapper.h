// SPDX-License-Identifier: Apache-2.0
// The mappings of a replay as a driver of the kernel makes them, on the DMA API, at the IOVAs of the trace. By the
// policy of the system, or, with recorded invalidations, when the trace says so and not before.
#pragma once

#include <memory>
#include <vector>

#include "dma/dma_domain.h"
#include "platform/replay_mapper.h"

namespace iommusim::platform {

class DmaMapper final : public ReplayMapper {
 public:
  /// `memory`: where the trace's physical address 0 lies.
  DmaMapper(Kernel& kernel, bool recorded, std::uint64_t memory)
      : kernel_(kernel), recorded_(recorded), memory_(memory) {}

  int open(domain::Device& device) override;
  int map(std::size_t function, const traces::Event& event) override;
  int unmap(std::size_t function, std::uint64_t iova, std::uint64_t bytes) override;
  int invalidate(std::size_t function, std::uint64_t iova, std::uint64_t bytes) override;
  std::uint64_t memory() const override { return memory_; }
  void close() override;

 private:
  Kernel& kernel_;
  const bool recorded_;
  const std::uint64_t memory_;
  std::vector<std::unique_ptr<dma::DmaDomain>> domains_;  // by function
};

}  // namespace iommusim::platform
