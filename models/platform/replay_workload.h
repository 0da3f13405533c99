// SPDX-License-Identifier: Apache-2.0
// A trace and the software behind it. Every source of the trace is a function with an address space of its own; M and U
// lines become maps and unmaps at the same fixed IOVAs, of buffers that lie as the traced machine's did; I lines, when
// the parameters say so, invalidations.
#pragma once

#include <deque>

#include "devices/trace_replay.h"
#include "hal/os.h"
#include "platform/atc_slot.h"
#include "platform/buffer_digest.h"
#include "platform/params.h"
#include "platform/replay_mapper.h"
#include "platform/workload.h"
#include "traces/summary.h"

namespace iommusim::platform {

/// First physical address that no mapping of the trace reaches. Reads the whole trace.
std::uint64_t memory_of_trace(const std::string& path);

class ReplayWorkload final : public Workload, devices::ReplaySoftware {
 public:
  /// Reads the whole trace once, to know its sources. InputError as the trace deserves. `buffer` is where its physical
  /// address 0 lies among the buffers of all programs.
  ReplayWorkload(const std::string& name, const DeviceParams& params, const SystemParams& system, std::uint64_t buffer,
                 stats::Group& parent);

  std::vector<bus::InitiatorSocket*> sockets() override;
  std::vector<std::string> port_names() const override;
  std::string device_name() const override { return name_; }
  std::vector<std::vector<std::uint32_t>> functions() const override;
  void open(Kernel& kernel) override;
  void run(Kernel& kernel) override;
  void close(Kernel& kernel) override;
  double progress() const override;
  devices::Digest digest() const override { return replay_.digest(); }
  std::uint64_t buffer_digest() const override { return buffers_.value(); }
  std::uint64_t transfers() const override;
  std::uint64_t failed_transfers() const override;
  std::uint64_t bytes_moved() const override;

 private:
  void request(const traces::Event& event) override;
  void finished() override;
  std::uint64_t address(const traces::Event& access) const override;
  void execute(Kernel& kernel, const traces::Event& event);
  std::size_t function_of(traces::Source source) const;
  std::unique_ptr<ReplayMapper> make_mapper(Kernel& kernel) const;

  std::string name_;
  DeviceParams params_;
  Stack stack_;
  std::uint64_t buffer_;
  std::uint64_t memory_;  ///< of user buffers
  traces::Summary summary_;
  std::vector<traces::Source> sources_;
  devices::TraceReplay replay_;
  std::deque<AtcSlot> atcs_;  ///< by source
  BufferDigest buffers_;
  std::unique_ptr<ReplayMapper> mapper_;
  std::unique_ptr<hal::Mutex> lock_;
  std::unique_ptr<hal::WaitQueue> changed_;
  traces::Event requested_{};
  bool has_request_ = false;
  bool finished_ = false;
};

}  // namespace iommusim::platform
