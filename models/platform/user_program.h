// SPDX-License-Identifier: Apache-2.0
// A user program of the simulated machine that owns one open /dev/iommu. It passes arguments as a real one does: in its
// own memory, by address. One call at a time.
#pragma once

#include <memory>

#include "hal/sim_process.h"
#include "iommufd/context.h"
#include "platform/software_stats.h"
#include "uapi/iommufd.h"

namespace iommusim::platform {

class UserProgram {
 public:
  /// `user_memory` is the physical address behind kBufferVa, `bytes` its size.
  UserProgram(hal::Os& os, hal::Memory& memory, hal::FrameAllocator& frames, iommufd::Host& host, SoftwareStats& stats,
              std::uint64_t user_memory, std::uint64_t bytes);

  iommufd::Context& context() { return *context_; }
  hal::SimProcess& process() { return process_; }
  /// Physical address of the byte at kBufferVa.
  std::uint64_t buffers() const { return buffers_; }
  std::uint64_t pinned_pages() const { return process_.pinned_pages(); }

  /// 0 or a negative errno, as the system call.
  int ioas_alloc(std::uint32_t& id_out);
  int ioas_map(std::uint32_t ioas, std::uint64_t iova, std::uint64_t user_va, std::uint64_t bytes);
  int ioas_unmap(std::uint32_t ioas, std::uint64_t iova, std::uint64_t bytes);
  int destroy(std::uint32_t id);
  /// Closes /dev/iommu: what is left in it goes.
  void close() { context_.reset(); }

 private:
  template <class Argument>
  int call(std::uint32_t command, Argument& argument);

  hal::Os& os_;
  SoftwareStats& stats_;
  std::uint64_t buffers_;
  hal::SimProcess process_;
  std::shared_ptr<iommufd::Context> context_;
};

}  // namespace iommusim::platform
