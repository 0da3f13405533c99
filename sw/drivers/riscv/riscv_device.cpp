// SPDX-License-Identifier: Apache-2.0
// Attachment of a device: the changes of its device contexts.
#include "drivers/riscv/riscv_device.h"

#include <cerrno>
#include <mutex>

#include "drivers/riscv/nested_domain.h"
#include "drivers/riscv/riscv_iommu.h"
#include "hal/contradiction.h"

namespace iommusim::drivers::riscv {
namespace {

// Words of a device context (IOMMU 2.1.3).
constexpr std::uint64_t kTcOffset = 0;
constexpr std::uint64_t kIohgatpOffset = 8;
constexpr std::uint64_t kTaOffset = 16;
constexpr std::uint64_t kFscOffset = 24;

constexpr std::uint64_t kAtsBits = hw::dc_tc::kEnAtsMask | hw::dc_tc::kEnPriMask | hw::dc_tc::kPrprMask;

/// What must be forgotten of a context that was in force (IOMMU 6.3.1). One with a process directory does not tell
/// its address spaces.
template <class Send>
void send_for_old_context(std::uint64_t tc, std::uint64_t iohgatp, std::uint64_t ta, std::uint64_t fsc, Send&& send) {
  if (field_of(iohgatp, hw::dc_iohgatp::kModeMask, hw::dc_iohgatp::kModeShift) != hw::iohgatp_mode::kBare) {
    const std::uint64_t gscid = field_of(iohgatp, hw::dc_iohgatp::kGscidMask, hw::dc_iohgatp::kGscidShift);
    (void)SpaceTag{true, static_cast<std::uint32_t>(gscid)}.for_each_command(send);
  } else if ((tc & hw::dc_tc::kPdtvMask) != 0 ||
             field_of(fsc, hw::dc_fsc::kModeMask, hw::dc_fsc::kModeShift) == hw::iosatp_mode::kBare) {
    (void)send(iotinval_all());
  } else {
    (void)send(iotinval_pscid(static_cast<std::uint32_t>(field_of(ta, hw::dc_ta::kPscidMask, hw::dc_ta::kPscidShift))));
  }
}

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
    iommu_.pages().set_answers_with_pasid(id, description_.response_needs_pasid);
  }
  return 0;
}

/// Of this system, of a format that the hardware has, and with nothing that it cannot do.
bool RiscvDevice::suits(const RiscvDomain& domain) const {
  if (&domain.system() != &iommu_.system()) return false;
  if (domain.tracks_dirty() && !capable(domain::Capability::kDirtyTracking)) return false;
  if (domain.hardware_dirty() && !iommu_.updates_dirty()) return false;
  const unsigned bits = domain.format().address_bits;
  return domain.tag().second_stage ? iommu_.supports_second_stage(bits) : iommu_.supports(bits);
}

RiscvDevice::Target RiscvDevice::target_of(const RiscvDomain& domain) const {
  Target target;
  target.tc = hw::dc_tc::kVMask;
  target.tag = domain.tag();
  target.ats = true;
  if (domain.tag().second_stage) {
    if (domain.hardware_dirty()) target.tc |= hw::dc_tc::kGadeMask;
    target.iohgatp = domain.iohgatp(domain.tag().number);
  } else {
    if (domain.hardware_dirty()) target.tc |= hw::dc_tc::kSadeMask;
    target.fsc = domain.fsc();
    target.ta = domain.ta();
  }
  return target;
}

int RiscvDevice::attach(domain::Domain& domain) {
  auto* const next = dynamic_cast<RiscvDomain*>(&domain);
  if (next == nullptr || !suits(*next)) return EINVAL;
  if (next == rid_.domain && !rid_.link.nested) return 0;
  const bool for_processes = (next->format().flags & domain::kForPasids) != 0 && pasid_width() != 0;
  if (for_processes || !processes_.empty()) return next->tag().second_stage ? EINVAL : attach_process(0, *next);
  const Use use{next, Link{this, next->tag()}};
  next->links().add(use.link);  // before the contexts: no unmap may miss this IOMMU
  switch_to(use, target_of(*next));
  return 0;
}

int RiscvDevice::attach_nested(domain::NestedDomain& domain) {
  auto* const next = dynamic_cast<RiscvNestedDomain*>(&domain);
  if (next == nullptr || &next->iommu() != &iommu_ || !suits(next->parent()) || !processes_.empty()) return EINVAL;
  if (!next->knows(*this)) return ENOENT;
  Use use{&next->parent(), next->link()};
  use.link.device = this;
  Target target;
  target.tc = hw::dc_tc::kVMask | next->tc() | (next->parent().hardware_dirty() ? hw::dc_tc::kGadeMask : 0);
  target.iohgatp = next->parent().iohgatp(use.link.tag.number);
  target.ta = next->ta();
  target.fsc = next->fsc();
  target.tag = use.link.tag;
  // The driver does not know which PASIDs of a guest the device's cache has seen.
  target.ats = !use.link.directory || description_.global_invalidation;
  next->parent().links().add(use.link);
  switch_to(use, target);
  return 0;
}

void RiscvDevice::block() {
  if (processes_.empty()) return switch_to({}, {});
  std::uint64_t context = 0;
  hal::ensure(directory_->locate(0, context) == 0, "process 0 has no context");
  switch_process(0, context, {}, {});
}

void RiscvDevice::bypass() {
  hal::ensure(processes_.empty(), "physical addresses for a device with PASIDs");
  Target target;
  target.tc = hw::dc_tc::kVMask;
  switch_to({}, target);
}

bool RiscvDevice::uses_ats() const { return description_.ats && iommu_.uses_ats() && !atc_.lost(); }

int RiscvDevice::set_page_fault_handler(domain::PageFaultHandler* handler) {
  if (!uses_page_requests() && handler != nullptr) return EOPNOTSUPP;
  for (const Context& context : contexts_) iommu_.pages().set_handler(context.device_id, handler);
  return 0;
}

void RiscvDevice::answer_page_fault(const domain::PageFaultGroup& group, domain::PageAnswer answer) {
  iommu_.pages().answer(group, answer);
}

void RiscvDevice::switch_to(const Use& next, const Target& target) {
  {
    const std::unique_lock guard(*contexts_lock_);
    invalidate_contexts();
    write_contexts(target);
    in_directory_ = false;
  }
  drop(std::exchange(rid_, next));
}

void RiscvDevice::drop(const Use& use) {
  if (use.domain == nullptr || !use.domain->links().remove(use.link)) return;
  (void)use.link.tag.for_each_command([&](const Command& command) { return iommu_.commands().submit(command); });
  (void)iommu_.commands().fence();
}

/// Phase 1. What is forgotten is decided by the old context.
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
    send_for_old_context(tc, iohgatp_, ta, fsc, [&](const Command& c) { return iommu_.commands().submit(c); });
  }
  if (!changed) return;
  (void)iommu_.commands().fence();
  if (!atc_.on()) return;
  // IOMMU 6.6: the device forgets last, when nothing is granted any more. Whether it does matters only if
  // it gets ATS again.
  (void)atc_.again(0, ~0ULL);
  if (rid_.link.directory) (void)atc_.again(0, ~0ULL, DeviceAtc::kEveryProcess);
  if (in_directory_)
    for (const auto& process : processes_) (void)atc_.again(0, ~0ULL, process.first);
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
void RiscvDevice::write_contexts(const Target& target) {
  hal::Memory& memory = iommu_.ports().memory;
  std::uint64_t tc = target.tc;
  if (target.ats && uses_ats()) {
    tc |= hw::dc_tc::kEnAtsMask;
    if (uses_page_requests())
      tc |= hw::dc_tc::kEnPriMask | (description_.response_needs_pasid ? hw::dc_tc::kPrprMask : 0);
    atc_.set_on(true);  // before V: no unmap may miss what the device is granted
  }
  for (const Context& context : contexts_) {
    if (iohgatp_ != target.iohgatp) memory.store64(context.spa + kIohgatpOffset, target.iohgatp);
    memory.store64(context.spa + kFscOffset, target.fsc);
    memory.store64(context.spa + kTaOffset, target.ta);
    memory.barrier();  // hardware that sees V sees the rest
    memory.store64(context.spa + kTcOffset, tc);
    const auto send = [&](const Command& command) { return iommu_.commands().submit(command); };
    (void)send(inval_ddt(context.device_id));
    (void)(target.tag ? target.tag->for_each_command(send) : send(iotinval_all()));
  }
  iohgatp_ = target.iohgatp;
  (void)iommu_.commands().fence();
}

}  // namespace iommusim::drivers::riscv
