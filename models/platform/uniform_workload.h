// SPDX-License-Identifier: Apache-2.0
// The uniform generator and its program: the window is mapped in chunks before the first DMA and unmapped after the
// last.
#pragma once

#include "devices/uniform.h"
#include "platform/atc_slot.h"
#include "platform/buffer_digest.h"
#include "platform/params.h"
#include "platform/user_program.h"
#include "platform/workload.h"

namespace iommusim::platform {

class UniformWorkload final : public Workload {
 public:
  /// `buffer` is the offset of its buffers among those of all programs.
  UniformWorkload(const std::string& name, const DeviceParams& params, const SystemParams& system, std::uint64_t buffer,
                  stats::Group& parent);

  std::vector<bus::InitiatorSocket*> sockets() override { return {&atc_.socket()}; }
  std::vector<std::string> port_names() const override { return {name_}; }
  std::string device_name() const override { return name_; }
  void open(Kernel& kernel) override;
  void run(Kernel& kernel) override;
  void close(Kernel& kernel) override;
  double progress() const override;
  devices::Digest digest() const override { return generator_.digest(); }
  std::uint64_t buffer_digest() const override { return buffers_.value(); }
  std::uint64_t transfers() const override;
  std::uint64_t failed_transfers() const override { return generator_.master().statistics().failed.value(); }
  std::uint64_t bytes_moved() const override;

 private:
  template <class Visit>
  void for_each_chunk(Visit&& visit) const;

  std::string name_;
  DeviceParams params_;
  std::uint64_t buffer_;
  devices::Uniform generator_;
  AtcSlot atc_;
  BufferDigest buffers_;
  std::unique_ptr<UserProgram> program_;
  std::uint32_t device_ = 0;
  std::uint32_t ioas_ = 0;
  std::unique_ptr<hal::Mutex> lock_;
  std::unique_ptr<hal::WaitQueue> changed_;
  bool finished_ = false;
};

}  // namespace iommusim::platform
