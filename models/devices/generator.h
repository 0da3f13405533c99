// SPDX-License-Identifier: Apache-2.0
// Makes DMA of an access pattern, as fast as its limits allow or at a fixed interval. What is asked depends on the
// pattern alone, never on time; what is written depends on function and IOVA alone, so that the end state of memory
// does not depend on the order of writes. Functions share one port of the bus.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "devices/access_pattern.h"
#include "devices/dma_master.h"
#include "devices/generator_params.h"
#include "devices/pattern.h"

namespace iommusim::devices {

class Generator : public bus::TimedModule, DmaClient {
 public:
  /// Throws base::InputError for a bdf that is none or limits out of range.
  Generator(const sc_core::sc_module_name& name, const TrafficParams& params, std::unique_ptr<AccessPattern> pattern,
            stats::Group& parent);

  bus::InitiatorSocket& socket() { return master_.socket(); }
  /// The function of an address space of the pattern: one device id after the other.
  base::DeviceId device(std::uint32_t space = 0) const { return base::DeviceId(first_device_.value + space); }
  const AccessPattern& pattern() const { return *pattern_; }
  /// DMA carries this PASID. Before start().
  void use_process(base::ProcessId process) { process_ = process; }
  /// Begins, now; the window of each address space begins at `base`. `done` is called when the last DMA was answered,
  /// from a process that must not wait. Once.
  void start(std::uint64_t base, std::function<void()> done);

  bool finished() const { return ended_ == params_.count; }
  const Digest& digest() const { return digest_; }  ///< DMAs numbered from 1
  const DmaMaster& master() const { return master_; }

 private:
  void completed(const DmaRequest& request, translate::Response response) override;
  void ready() override { pump(); }
  void produce(const DmaRequest& request, std::uint64_t offset, std::uint8_t* data, std::uint32_t bytes) override;
  base::Picoseconds work(base::Picoseconds now) override;
  void pump();
  void draw();

  TrafficParams params_;
  base::DeviceId first_device_;
  std::optional<base::ProcessId> process_;
  std::unique_ptr<AccessPattern> pattern_;
  stats::Group stats_;  ///< holds the master's
  DmaMaster master_;
  std::function<void()> done_;
  DmaRequest next_{};       ///< drawn, not begun
  bool after_all_ = false;  ///< it waits for all before it
  bool intervals_begin_ = false;
  std::uint64_t think_ns_ = 0;
  Digest digest_;
  std::uint64_t base_ = 0;
  std::uint64_t begun_ = 0;
  std::uint64_t first_of_intervals_ = 0;  ///< the DMA that began at started_
  std::uint64_t ended_ = 0;
  base::Picoseconds not_before_ = 0;
  base::Picoseconds started_ = base::kNever;
};

}  // namespace iommusim::devices
