// SPDX-License-Identifier: Apache-2.0
// A device behind a RISC-V IOMMU: one or more device ids, each with its device context. A change of the context is
// always made in two phases (riscv_driver.md 5): invalid and forgotten by hardware first, then written, V last. A
// device that is attached for PASIDs has a process directory; its requests without PASID are then those of process 0,
// and one of its processes changes without the others noticing.
//
// Policy of what the device can do: it is coherent, and cannot be otherwise (the modelled IOMMU and bus snoop). Its
// MSIs count as isolated: they are ordinary writes here, translated or blocked like any other DMA, so a device reaches
// no interrupt file that was not mapped for it. See docs/riscv-driver.md for the rest.
#pragma once

#include <map>

#include "drivers/riscv/device_atc.h"
#include "drivers/riscv/process_directory.h"
#include "drivers/riscv/riscv_domain.h"

namespace iommusim::drivers::riscv {

class RiscvNestedDomain;

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
  bool global_invalidation = false;   ///< ATS: Global Invalidate Supported
  unsigned pasid_bits = 0;            ///< PASID: Max PASID Width; 0: no PASIDs
  bool pasid_execute = false;         ///< PASID: Execute Permission
  bool pasid_privileged = false;      ///< PASID: Privileged Mode
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
  /// DMA addresses are physical addresses: the identity domain of the kernel's own use. Not while PASIDs are attached.
  void bypass();

  int hw_info(std::uint32_t type, domain::HwInfo& out) override;
  unsigned pasid_width() const override;
  const void* iommu_driver() const override;
  const void* iommu_instance() const override { return &iommu_; }
  bool takes_paging_requests() const override { return true; }
  int alloc_paging(const domain::PagingRequest& request, std::unique_ptr<domain::Domain>& out) override;
  bool can_nest() const override;
  int alloc_nested(domain::Domain& parent, unsigned flags, const domain::UserData& data,
                   std::unique_ptr<domain::NestedDomain>& out) override;
  bool offers_virtual_iommu(std::uint32_t type) const override;
  int alloc_virtual_iommu(const domain::VirtualIommuRequest& request,
                          std::unique_ptr<domain::VirtualIommu>& out) override;
  int attach_nested(domain::NestedDomain& domain) override;
  int attach_pasid(std::uint32_t pasid, domain::Translation& translation) override;
  void block_pasid(std::uint32_t pasid) override;

  /// block(), and block_pasid() for all.
  void block_everything();

  RiscvIommu& iommu() const { return iommu_; }
  DeviceAtc& atc() { return atc_; }
  const DeviceDescription& description() const { return description_; }
  /// Calls action(device id) up to the first error.
  template <class Action>
  int for_each_id(Action&& action) const {
    for (const std::uint32_t id : description_.device_ids)
      if (const int error = action(id)) return error;
    return 0;
  }
  /// Takes ATS away from a device that does not answer: its translated requests are refused from here on.
  void isolate();

 private:
  struct Context {
    std::uint32_t device_id;
    std::uint64_t spa;
  };
  /// What the contexts shall hold.
  struct Target {
    std::uint64_t tc = 0;  ///< beside what ATS needs; 0: blocked
    std::uint64_t iohgatp = 0;
    std::uint64_t ta = 0;
    std::uint64_t fsc = 0;
    std::optional<SpaceTag> tag{};  ///< of the table that this selects; none: physical addresses, or a directory
    bool ats = false;               ///< may have ATS
  };
  /// The page table that requests go through, with the link there.
  struct Use {
    RiscvDomain* domain = nullptr;
    Link link{};
  };
  /// What a process context shall hold.
  struct ProcessTarget {
    std::uint64_t ta = 0;  ///< 0: blocked
    std::uint64_t fsc = 0;
  };

  bool uses_ats() const;
  bool uses_page_requests() const { return uses_ats() && description_.pri; }
  bool suits(const RiscvDomain& domain) const;
  Target target_of(const RiscvDomain& domain) const;
  Target target_of_directory() const;
  int alloc_domain(const RiscvDomain::Format& format, std::unique_ptr<domain::Domain>& out);

  void switch_to(const Use& next, const Target& target);
  void invalidate_contexts();
  void write_contexts(const Target& target);
  /// `use` is over: the last one of an IOMMU takes what is cached along.
  void drop(const Use& use);

  int attach_process(std::uint32_t process, RiscvDomain& domain);
  void link_process(std::uint32_t process, const Use& use);
  ProcessTarget process_target(const RiscvDomain& domain) const;
  void switch_process(std::uint32_t process, std::uint64_t context, const Use& next, const ProcessTarget& target);
  void forget_process(std::uint32_t process, std::uint64_t ta);
  void write_process(std::uint64_t context, const ProcessTarget& target);
  Use& use_of(std::uint32_t process) { return process == 0 ? rid_ : processes_[process]; }

  RiscvIommu& iommu_;
  domain::Group& group_;
  const DeviceDescription description_;
  std::unique_ptr<hal::Mutex> contexts_lock_;  // guards what is in the contexts and in the directory
  std::vector<Context> contexts_;
  std::uint64_t iohgatp_ = 0;  // what they have there
  DeviceAtc atc_;
  Use rid_;                                      // of requests without PASID; no domain: blocked or bypassed
  std::map<std::uint32_t, Use> processes_;       // by PASID
  std::unique_ptr<ProcessDirectory> directory_;  // from the first need on
  bool in_directory_ = false;                    // the contexts point to it
};

}  // namespace iommusim::drivers::riscv
