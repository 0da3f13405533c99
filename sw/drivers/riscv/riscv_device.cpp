// SPDX-License-Identifier: Apache-2.0
// Attachment of a device: the changes of its device contexts.
#include "drivers/riscv/riscv_device.h"

#include <cerrno>
#include <mutex>

#include "drivers/riscv/riscv_iommu.h"

namespace iommusim::drivers::riscv {
namespace {

// Words of a device context (IOMMU 2.1.3).
constexpr std::uint64_t kTcOffset = 0;
constexpr std::uint64_t kTaOffset = 16;
constexpr std::uint64_t kFscOffset = 24;

constexpr std::uint64_t kAtsBits = hw::dc_tc::kEnAtsMask | hw::dc_tc::kEnPriMask | hw::dc_tc::kPrprMask;

}  // namespace

RiscvDevice::RiscvDevice(RiscvIommu& iommu, domain::Group& group, const DeviceDescription& description)
    : iommu_(iommu),
      group_(group),
      description_(description),
      contexts_lock_(iommu.ports().os.make_mutex()),
      atc_(iommu.ports().os, iommu.commands(), description.device_ids, description.invalidation_depth) {}

int RiscvDevice::locate_contexts() {
  for (const std::uint32_t id : description_.device_ids) {
    Context context{id, 0};
    if (const int error = iommu_.directory().locate(id, context.spa)) return error;
    iommu_.ports().memory.store64(context.spa + kTcOffset, 0);
    contexts_.push_back(context);
  }
  return 0;
}

bool RiscvDevice::capable(domain::Capability capability) const {
  if (capability == domain::Capability::kAts) return uses_ats();
  if (capability == domain::Capability::kPageRequests) return uses_page_requests();
  return capability == domain::Capability::kCacheCoherency || capability == domain::Capability::kIsolatedMsi;
}

int RiscvDevice::alloc_domain(std::unique_ptr<domain::Domain>& out) {
  const unsigned bits = iommu_.widest_address_bits();
  if (bits == 0) return EOPNOTSUPP;
  const std::uint32_t pscid = iommu_.system().take_pscid();
  if (pscid == 0) return ENOMEM;
  auto fresh = std::make_unique<RiscvDomain>(iommu_.ports(), iommu_.system(), iommu_.options(), bits, pscid);
  if (!fresh->usable()) return ENOMEM;
  out = std::move(fresh);
  return 0;
}

int RiscvDevice::attach(domain::Domain& domain) {
  auto* next = dynamic_cast<RiscvDomain*>(&domain);
  if (!next || &next->system() != &iommu_.system() || !iommu_.supports(next->address_bits())) return EINVAL;
  if (next == domain_) return 0;
  next->link(*this);  // before the contexts: no unmap may miss this IOMMU
  switch_to(next, Target{next->fsc(), next->ta(), true});
  return 0;
}

void RiscvDevice::block() { switch_to(nullptr, Target{}); }
void RiscvDevice::bypass() { switch_to(nullptr, Target{hw::iosatp_mode::kBare << hw::dc_fsc::kModeShift, 0, true}); }

bool RiscvDevice::uses_ats() const { return description_.ats && iommu_.uses_ats() && !atc_.lost(); }

int RiscvDevice::set_page_fault_handler(domain::PageFaultHandler* handler) {
  if (!uses_page_requests() && handler != nullptr) return EOPNOTSUPP;
  for (const Context& context : contexts_) iommu_.pages().set_handler(context.device_id, handler);
  return 0;
}

void RiscvDevice::answer_page_fault(const domain::PageFaultGroup& group, domain::PageAnswer answer) {
  iommu_.pages().answer(group, answer, description_.response_needs_pasid);
}

void RiscvDevice::switch_to(RiscvDomain* next, const Target& target) {
  {
    const std::unique_lock guard(*contexts_lock_);
    invalidate_contexts();
    write_contexts(next, target);
  }
  RiscvDomain* const previous = domain_;
  domain_ = next;
  if (previous && previous->unlink(*this)) {
    (void)iommu_.commands().submit(iotinval_pscid(previous->pscid()));
    (void)iommu_.commands().fence();
  }
}

/// Phase 1. What is forgotten is decided by the old context (IOMMU 6.3.1); this driver's contexts have neither a second
/// stage nor a process directory.
void RiscvDevice::invalidate_contexts() {
  hal::Memory& memory = iommu_.ports().memory;
  bool changed = false;
  for (const Context& context : contexts_) {
    const std::uint64_t tc = memory.load64(context.spa + kTcOffset);
    if ((tc & hw::dc_tc::kVMask) == 0) continue;
    changed = true;
    const std::uint64_t fsc = memory.load64(context.spa + kFscOffset);
    const std::uint64_t ta = memory.load64(context.spa + kTaOffset);
    memory.store64(context.spa + kTcOffset, tc & ~hw::dc_tc::kVMask);
    (void)iommu_.commands().submit(inval_ddt(context.device_id));
    if (field_of(fsc, hw::dc_fsc::kModeMask, hw::dc_fsc::kModeShift) == hw::iosatp_mode::kBare)
      (void)iommu_.commands().submit(iotinval_all());
    else
      (void)iommu_.commands().submit(
          iotinval_pscid(static_cast<std::uint32_t>(field_of(ta, hw::dc_ta::kPscidMask, hw::dc_ta::kPscidShift))));
  }
  if (!changed) return;
  (void)iommu_.commands().fence();
  if (!atc_.on()) return;
  // IOMMU 6.6: the device forgets last, when nothing is granted any more. Whether it does matters only if
  // it gets ATS again.
  (void)atc_.again(0, ~0ULL);
  atc_.set_on(false);
}

void RiscvDevice::isolate() {
  const std::unique_lock guard(*contexts_lock_);
  iommu_.ports().os.log("riscv-iommu: device " + std::to_string(description_.device_ids.front()) +
                        " does not answer invalidations, no more ATS for it");
  hal::Memory& memory = iommu_.ports().memory;
  for (const Context& context : contexts_) {
    const std::uint64_t tc = memory.load64(context.spa + kTcOffset);
    memory.store64(context.spa + kTcOffset, tc & ~kAtsBits);
    (void)iommu_.commands().submit(inval_ddt(context.device_id));
  }
  (void)iommu_.commands().fence();
  atc_.set_on(false);
}

/// Phase 2.
void RiscvDevice::write_contexts(const RiscvDomain* next, const Target& target) {
  hal::Memory& memory = iommu_.ports().memory;
  std::uint64_t tc = target.valid ? hw::dc_tc::kVMask : 0;
  if (next != nullptr && target.valid && uses_ats()) {
    tc |= hw::dc_tc::kEnAtsMask;
    if (uses_page_requests())
      tc |= hw::dc_tc::kEnPriMask | (description_.response_needs_pasid ? hw::dc_tc::kPrprMask : 0);
    atc_.set_on(true);  // before V: no unmap may miss what the device is granted
  }
  for (const Context& context : contexts_) {
    memory.store64(context.spa + kFscOffset, target.fsc);
    memory.store64(context.spa + kTaOffset, target.ta);
    memory.barrier();  // hardware that sees V sees the rest
    memory.store64(context.spa + kTcOffset, tc);
    (void)iommu_.commands().submit(inval_ddt(context.device_id));
    (void)iommu_.commands().submit(next ? iotinval_pscid(next->pscid()) : iotinval_all());
  }
  (void)iommu_.commands().fence();
}

}  // namespace iommusim::drivers::riscv
