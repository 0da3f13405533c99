// SPDX-License-Identifier: Apache-2.0
// A device behind a RISC-V IOMMU: one or more device ids, each with its device context. A change of the context is
// always made in two phases (riscv_driver.md 5): invalid and forgotten by hardware first, then written, V last.
//
// Policy of what the device can do: it is coherent (the modelled IOMMU and bus snoop). Its MSIs count as isolated: they
// are ordinary writes here, translated or blocked like any other DMA, so a device reaches no interrupt file that was
// not mapped for it. No-snoop enforcement, dirty tracking and PASID are not offered; process contexts have their place
// beside `Context`, when fsc points to a process directory.
#pragma once

#include "drivers/riscv/device_atc.h"
#include "drivers/riscv/riscv_domain.h"

namespace iommusim::drivers::riscv {

/// What the platform knows of a device.
struct DeviceDescription {
  std::vector<std::uint32_t> device_ids;
  std::uint32_t group = 0;
  std::vector<domain::ReservedRegion> reserved;
  // PCIe capabilities of its functions.
  bool ats = false;
  bool pri = false;                   ///< with ats only
  bool response_needs_pasid = false;  ///< PRI: PRG Response PASID Required
  unsigned invalidation_depth = 32;   ///< ATS: Invalidate Queue Depth, at least 1
};

class RiscvDevice final : public domain::Device {
 public:
  RiscvDevice(RiscvIommu& iommu, domain::Group& group, const DeviceDescription& description);

  /// Finds or makes the contexts of all ids: V = 0. 0, ENODEV, ENOMEM.
  int locate_contexts();

  domain::Group& group() override { return group_; }
  bool capable(domain::Capability capability) const override;
  std::vector<domain::ReservedRegion> reserved_regions() const override { return description_.reserved; }
  int alloc_domain(std::unique_ptr<domain::Domain>& out) override;
  int attach(domain::Domain& domain) override;
  void block() override;
  int set_page_fault_handler(domain::PageFaultHandler* handler) override;
  void answer_page_fault(const domain::PageFaultGroup& group, domain::PageAnswer answer) override;
  /// DMA addresses are physical addresses: the identity domain of the kernel's own use.
  void bypass();

  RiscvIommu& iommu() { return iommu_; }
  DeviceAtc& atc() { return atc_; }
  /// Takes ATS away from a device that does not answer: its translated requests are refused from here on.
  void isolate();

 private:
  struct Context {
    std::uint32_t device_id;
    std::uint64_t spa;
  };
  /// What the contexts shall hold.
  struct Target {
    std::uint64_t fsc = 0;
    std::uint64_t ta = 0;
    bool valid = false;
  };
  void switch_to(RiscvDomain* next, const Target& target);
  void invalidate_contexts();
  void write_contexts(const RiscvDomain* next, const Target& target);

  RiscvIommu& iommu_;
  domain::Group& group_;
  const DeviceDescription description_;
  bool uses_ats() const;
  bool uses_page_requests() const { return uses_ats() && description_.pri; }

  std::unique_ptr<hal::Mutex> contexts_lock_;  // guards what is in the contexts
  std::vector<Context> contexts_;
  DeviceAtc atc_;
  RiscvDomain* domain_ = nullptr;  // null: blocked or bypassed
};

}  // namespace iommusim::drivers::riscv
