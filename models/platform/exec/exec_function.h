// SPDX-License-Identifier: Apache-2.0
// A modelled device as the VFIO layer sees it: its registers by transactions of the simulation that the calling thread
// drives, its interrupts by the courier, its reset once its DMA is over. The MSI-X table lies in its BAR and is memory
// and no more: what it would say is the VFIO layer's to know.
#pragma once

#include <memory>
#include <vector>

#include "hal_systemc/driven_mmio.h"
#include "platform/atc_slot.h"
#include "platform/exec/exec_device.h"
#include "platform/exec/interrupt_courier.h"

namespace iommusim::platform {

/// Told of each access of a program to a BAR; may be null.
class ExecMmioListener {
 public:
  virtual ~ExecMmioListener() = default;
  /// `start_ps` to `end_ps` of simulated time. In the thread of the access.
  virtual void mmio(std::uint32_t device, unsigned bar, std::uint64_t offset, unsigned bytes, bool write,
                    std::uint64_t value, std::uint64_t start_ps, std::uint64_t end_ps) = 0;
};

class ExecFunction final : public vfio::PciFunction, devices::InterruptSink {
 public:
  ExecFunction(const ExecSlot& slot, const SystemParams& params, hal::SimDriver& driver, InterruptCourier& courier,
               stats::Group& parent);

  const ExecSlot& slot() const { return slot_; }
  /// To be bound to the bus.
  bus::InitiatorSocket& socket() { return atc_.socket(); }
  AtcSlot& atc() { return atc_; }
  const devices::PciModel& model() const { return *model_; }
  void listen(ExecMmioListener* listener) { listener_ = listener; }

  const vfio::PciIdentity& identity() const override { return slot_.identity; }
  std::uint64_t bar_read(unsigned bar, std::uint64_t offset, unsigned bytes) override;
  void bar_write(unsigned bar, std::uint64_t offset, unsigned bytes, std::uint64_t value) override;
  void set_bus_master(bool on) override;
  void connect(vfio::PciInterruptSink* sink) override;
  void reset() override;

 private:
  void raise(unsigned vector) override;
  bool in_table(std::uint64_t offset) const;
  bool access(bool write, std::uint64_t offset, unsigned bytes, std::uint64_t& value);

  const ExecSlot slot_;
  hal::SimDriver& driver_;
  InterruptCourier& courier_;
  std::unique_ptr<devices::PciModel> model_;
  AtcSlot atc_;
  hal::DrivenMmio mmio_;
  ExecMmioListener* listener_ = nullptr;
  std::mutex table_lock_;  ///< a leaf
  std::vector<std::uint8_t> table_;
  std::mutex sink_lock_;  ///< held while the sink is called
  vfio::PciInterruptSink* sink_ = nullptr;
};

}  // namespace iommusim::platform
