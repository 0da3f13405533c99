// SPDX-License-Identifier: Apache-2.0
// The mappings of a replay by the DMA API, at IOVAs that its allocator chooses: what the traced system's drivers asked
// for, done by ours. The device is told where things are.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "dma/dma_domain.h"
#include "platform/mapping_groups.h"
#include "platform/replay_mapper.h"

namespace iommusim::platform {

class OwnIovaMapper final : public ReplayMapper {
 public:
  /// `memory`: where the trace's physical address 0 lies.
  OwnIovaMapper(Kernel& kernel, const std::string& trace, std::uint64_t memory)
      : kernel_(kernel), groups_(trace), memory_(memory) {}

  int open(domain::Device& device) override;
  int map(std::size_t function, const traces::Event& event) override;
  int unmap(std::size_t function, std::uint64_t iova, std::uint64_t bytes) override;
  /// EOPNOTSUPP: recorded ranges are of the traced system's IOVAs.
  int invalidate(std::size_t function, std::uint64_t iova, std::uint64_t bytes) override;
  std::uint64_t memory() const override { return memory_; }
  std::uint64_t address(std::size_t function, std::uint64_t iova) const override;
  void close() override;

 private:
  struct Range {
    std::uint64_t bytes;
    std::uint64_t iova;  ///< ours
  };
  struct Function {
    std::unique_ptr<dma::DmaDomain> domain;
    std::map<std::uint64_t, Range> ranges;  ///< by the trace's IOVA
  };
  Kernel& kernel_;
  const MappingGroups groups_;
  const std::uint64_t memory_;
  std::vector<Function> functions_;
};

}  // namespace iommusim::platform
