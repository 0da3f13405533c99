// SPDX-License-Identifier: Apache-2.0
// What all programs of generators share: the device, its functions attached to address spaces of their own, buffers for
// the pattern's streams one after the other, waiting for the end, and what is reported. How the windows get mapped is
// for who derives from it.
#pragma once

#include "devices/generator.h"
#include "platform/atc_slot.h"
#include "platform/attachment.h"
#include "platform/buffer_digest.h"
#include "platform/params.h"
#include "platform/workload.h"

namespace iommusim::platform {

/// The pattern of a generator and its traffic, as its kind says.
std::unique_ptr<devices::AccessPattern> generator_pattern(const DeviceParams& params, std::uint64_t seed);
devices::TrafficParams generator_traffic(const DeviceParams& params);
/// Where the buffers of each stream begin, and the end of all, last: those of a space lie as its windows do.
std::vector<std::uint64_t> generator_buffers(const devices::AccessPattern& pattern);
/// Bytes of the buffers behind a generator's windows.
std::uint64_t generator_memory(const DeviceParams& params);

class GeneratorWorkload : public Workload {
 public:
  /// `buffer` is the offset of its buffers among those of all programs.
  GeneratorWorkload(const std::string& name, const DeviceParams& params, const SystemParams& system,
                    std::uint64_t buffer, stats::Group& parent);

  std::vector<bus::InitiatorSocket*> sockets() override { return {&atc_.socket()}; }
  std::vector<std::string> port_names() const override { return {name_}; }
  std::string device_name() const override { return name_; }
  std::vector<std::vector<std::uint32_t>> functions() const override;
  double progress() const override;
  devices::Digest digest() const override { return generator_.digest(); }
  std::uint64_t buffer_digest() const override { return buffers_.value(); }
  std::uint64_t transfers() const override;
  std::uint64_t failed_transfers() const override { return generator_.master().statistics().failed.value(); }
  std::uint64_t bytes_moved() const override;

 protected:
  /// A piece of a stream that is mapped by one call.
  struct Chunk {
    std::uint32_t space = 0;
    std::uint64_t iova = 0;
    std::uint64_t buffer = 0;  ///< offset from kBufferVa
    std::uint64_t bytes = 0;
  };
  const std::vector<Chunk>& chunks() const { return chunks_; }

  /// Binds and attaches, and enables the ATC if there is one.
  void attach(Kernel& kernel);
  void detach() { attachment_.close(); }
  /// 0 or an errno.
  int map(const Chunk& chunk);
  void unmap(const Chunk& chunk);
  /// The generator begins; it calls back when it is done, finished() is true then.
  void start();
  bool finished() const { return finished_; }
  void take_digest(const Chunk& chunk);

  std::string name_;
  DeviceParams params_;
  devices::Generator generator_;
  AtcSlot atc_;
  BufferDigest buffers_;
  Attachment attachment_;
  hal::Os* os_ = nullptr;
  std::unique_ptr<hal::Mutex> lock_;
  std::unique_ptr<hal::WaitQueue> changed_;

 private:
  std::vector<Chunk> chunks_;
  std::uint64_t count_;
  bool finished_ = false;
};

/// Kinds with a fixed window: all of it is mapped before the first DMA and unmapped after the last.
class WindowWorkload final : public GeneratorWorkload {
 public:
  using GeneratorWorkload::GeneratorWorkload;
  void open(Kernel& kernel) override;
  void run(Kernel& kernel) override;
  void close(Kernel& kernel) override;
};

}  // namespace iommusim::platform
