// SPDX-License-Identifier: Apache-2.0
// The software of a system: the driver of the IOMMU, the iommufd core, and the memory they live in. It reaches the
// hardware through hal ports alone; only who binds those ports knows what is behind them.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "base/random.h"
#include "dma/dma_domain.h"
#include "drivers/riscv/riscv_iommu.h"
#include "hal/buddy_frames.h"
#include "iommufd/host.h"
#include "platform/attachment.h"
#include "platform/dma_stats.h"
#include "platform/params.h"
#include "platform/software_stats.h"
#include "platform/topology.h"
#include "platform/user_program.h"

namespace iommusim::platform {

class Kernel final : iommufd::CallObserver {
 public:
  /// Ways to an IOMMU.
  struct IommuPorts {
    std::string path;  ///< of its parameters
    std::string name;  ///< empty: `iommu`
    hal::Mmio& mmio;
    hal::Interrupts& interrupts;
  };
  Kernel(const SystemParams& params, hal::Os& os, hal::Memory& memory, const std::vector<IommuPorts>& iommus,
         const Topology& topology, stats::Group& parent);
  ~Kernel() override;

  /// Brings the IOMMU up: probe, device directory, queues. Contradiction when the driver refuses the hardware.
  void boot();
  /// Takes it down and checks that nothing is left: frames, pins, address-space numbers.
  void shutdown();

  /// A device of the bus, blocked until a program attaches it. ParameterError, about the parameter that gives the id,
  /// for an id that is in use or that the directory cannot hold.
  domain::Device& add_device(std::uint32_t device_id, const std::string& parameter, const devices::AtcParams& atc = {},
                             const PasidParams& pasid = {});
  /// The program of the group that the function is in; who joins is one user more.
  std::shared_ptr<GroupProgram> join_program(std::uint32_t device_id);
  /// A program with an open /dev/iommu; closed by close().
  std::unique_ptr<UserProgram> start_program();

  /// What software.dma says.
  dma::Options dma_options() const { return dma_options_of(params_.software.dma, params_.software.cost.dma_call_ns); }
  /// The DMA API for a device of the bus and its group. A positive errno, as DmaDomain::create(); EBUSY: the group has
  /// one already.
  int open_dma(domain::Device& device, const dma::Options& options, std::unique_ptr<dma::DmaDomain>& out);

  hal::Os& os() { return os_; }
  /// For contexts of programs that are not UserPrograms.
  iommufd::Host& host() { return host_; }
  hal::Memory& memory() { return memory_; }
  hal::FrameAllocator& frames() { return frames_; }
  SoftwareStats& statistics() { return stats_; }
  const SoftwareStats& statistics() const { return stats_; }
  const dma::Statistics& dma_statistics() const { return dma_counts_; }
  /// Sum over all fault records drained of a hash of each: equal for equal multisets.
  std::uint64_t fault_digest() const { return fault_digest_; }

 private:
  void call_begins(const iommufd::CallInfo& info) override;
  void call_ends(const iommufd::CallInfo& info, int result) override;
  void fault(const drivers::riscv::FaultRecord& record);
  void count_by_driver();
  domain::Device& make_device(const drivers::riscv::DeviceDescription& description, const std::string& iommu,
                              const std::string& parameter);
  void find_devices();

  const SystemParams& params_;
  hal::Os& os_;
  hal::Memory& memory_;
  std::mutex counts_lock_;  ///< a leaf: statistics and skew_, where calls come from threads of the host
  base::Random skew_;
  SoftwareStats stats_;
  dma::Statistics dma_counts_;
  std::set<std::uint32_t> dma_groups_;  ///< that have had a DMA domain
  DmaStats dma_stats_;
  hal::BuddyFrames frames_;
  drivers::riscv::RiscvSystem iommus_;
  struct Driver {
    Driver(const IommuPorts& iommu, Kernel& kernel);
    std::string path, name;
    drivers::riscv::RiscvIommu iommu;
  };
  std::deque<Driver> drivers_;
  const Topology& topology_;
  std::map<std::uint32_t, domain::Device*> known_;  ///< since the boot: all devices of a topology that is named
  std::map<std::uint32_t, std::weak_ptr<GroupProgram>> programs_;  ///< by group
  iommufd::Host host_;
  std::set<std::uint32_t> device_ids_;
  std::deque<stats::Derived> counted_by_driver_;
  std::uint64_t fault_digest_ = 0;
};

}  // namespace iommusim::platform
