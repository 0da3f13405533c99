// SPDX-License-Identifier: Apache-2.0
// The mappings of a replay as a user program makes them: IOAS_MAP and IOAS_UNMAP at the IOVAs of the trace.
#pragma once

#include <memory>
#include <vector>

#include "platform/replay_mapper.h"
#include "platform/user_program.h"

namespace iommusim::platform {

class IommufdMapper final : public ReplayMapper {
 public:
  /// `buffer`: where the trace's physical address 0 lies among the program's buffers.
  IommufdMapper(std::unique_ptr<UserProgram> program, std::uint64_t buffer)
      : program_(std::move(program)), buffer_(buffer) {}

  int open(domain::Device& device) override;
  int map(std::size_t function, const traces::Event& event) override;
  int unmap(std::size_t function, std::uint64_t iova, std::uint64_t bytes) override;
  /// EOPNOTSUPP: a user program has no way to ask for one.
  int invalidate(std::size_t function, std::uint64_t iova, std::uint64_t bytes) override;
  std::uint64_t memory() const override { return program_->buffers() + buffer_; }
  void close() override;

 private:
  struct Function {
    std::uint32_t device = 0;  ///< iommufd ids
    std::uint32_t ioas = 0;
  };
  std::unique_ptr<UserProgram> program_;
  const std::uint64_t buffer_;
  std::vector<Function> functions_;
};

}  // namespace iommusim::platform
