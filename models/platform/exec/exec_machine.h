// SPDX-License-Identifier: Apache-2.0
// A simulated machine whose programs are real ones (`iommusim exec`): IOMMU, bus, memory and PCI functions of a system
// file, the driver of the IOMMU and the iommufd host above. Threads of the program drive simulated time as they call
// (hal_systemc/sim_driver.h says why nobody waits for ever). One a process, made by any thread; runs are not
// reproducible bit by bit, for the program's threads are not.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hal/threaded_interrupts.h"
#include "hal_systemc/driven_mmio.h"
#include "hal_systemc/driven_os.h"
#include "platform/exec/exec_function.h"
#include "platform/exec/ram_memory.h"
#include "platform/kernel.h"
#include "platform/system.h"
#include "tlm/interconnect.h"
#include "tlm/iommu.h"
#include "tlm/message_window.h"

namespace iommusim::platform {

/// Physical memory is what the host has at `base`: the kernel's part up to `user_start`, pages of programs from there.
struct ExecRam {
  std::uint8_t* base = nullptr;
  std::uint64_t user_start = 0;
  std::uint64_t bytes = 0;
};

class ExecMachine {
 public:
  /// Builds and boots it: the driver brings the IOMMU up. InputError for a system that exec cannot run. A contradiction
  /// of the simulation later on goes to `on_failure`, after which all hardware stands still.
  ExecMachine(const SystemParams& params, const ExecRam& ram, std::function<void(std::exception_ptr)> on_failure);
  ~ExecMachine();

  const SystemParams& params() const { return params_; }
  iommufd::Host& host() { return kernel_.host(); }
  Kernel& kernel() { return kernel_; }
  hal::Os& os() { return os_; }
  hal::SimDriver& driver() { return driver_; }
  bus::Iommu& iommu() { return iommu_; }

  struct Slot {
    ExecFunction* function = nullptr;
    domain::Device* device = nullptr;
  };
  const std::vector<Slot>& slots() const { return slots_; }

  /// A call of the program that the iommufd core does not charge for itself: it takes software.cost.ioctl_ns.
  void charge_call() { os_.spend_ns(params_.software.cost.ioctl_ns); }

  /// No more calls come: what is in flight ends, time stands still for good. With `closed` nothing of a program is
  /// left, and the driver takes the IOMMU down. Contradiction when an identity of the statistics does not hold.
  void finish(bool closed);

  // After finish().
  stats::Group& statistics() { return root_; }
  RunTotals totals() const;
  /// config.yaml, stats.json and summary.txt into the folder, which is created.
  void write_results(const std::string& folder);
  std::string summary();

 private:
  /// Ends of the IOMMU's interrupt wires and messages.
  class Bridge final : public bus::InterruptLines, public bus::MessageListener {
   public:
    explicit Bridge(hal::ThreadedInterrupts& interrupts) : interrupts_(interrupts) {}
    void set_level(unsigned vector, bool level) override { interrupts_.set_level(vector, level); }
    void message(std::uint64_t address, std::uint32_t data) override { interrupts_.deliver(address, data); }

   private:
    hal::ThreadedInterrupts& interrupts_;
  };

  void boot();

  const SystemParams params_;
  stats::Group root_{"system"};
  const std::vector<ExecSlot> places_;
  hal::SimDriver driver_;
  hal::DrivenOs os_;
  bus::Memory memory_;
  bus::MessageWindow messages_;
  bus::Iommu iommu_;
  InterruptCourier courier_;
  std::vector<std::unique_ptr<ExecFunction>> functions_;
  Topology topology_;
  std::unique_ptr<bus::Interconnect> bus_;
  hal::DrivenMmio mmio_;
  RamMemory ram_;
  hal::ThreadedInterrupts interrupts_;
  Bridge bridge_;
  Kernel kernel_;
  std::vector<Slot> slots_;
  std::optional<stats::Identity> received_;  ///< nothing is lost between the IOMMU's port and memory
  std::uint64_t end_ps_ = 0;
};

}  // namespace iommusim::platform
