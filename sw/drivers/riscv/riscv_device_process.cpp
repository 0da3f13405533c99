// SPDX-License-Identifier: Apache-2.0
// Attachment for a PASID: changes of process contexts (IOMMU 2.2, 6.3.2), in two phases as those of device contexts.
// A device gets its directory when it is attached for the first PASID, or to a domain that was made for PASIDs: then
// later PASIDs come and go without a change of the device context.
#include <cerrno>
#include <mutex>

#include "drivers/riscv/riscv_device.h"
#include "drivers/riscv/riscv_iommu.h"
#include "hal/contradiction.h"

namespace iommusim::drivers::riscv {
namespace {

// Words of a process context (IOMMU 2.2.4).
constexpr std::uint64_t kProcessTaOffset = 0;
constexpr std::uint64_t kProcessFscOffset = 8;

}  // namespace

unsigned RiscvDevice::pasid_width() const {
  return std::min(description_.pasid_bits, ProcessDirectory::widest(iommu_.capabilities()));
}

/// Requests without PASID are those of process 0 (DPE). SADE for all: leaves of domains that do not track have D set.
RiscvDevice::Target RiscvDevice::target_of_directory() const {
  Target target;
  target.tc = hw::dc_tc::kVMask | hw::dc_tc::kPdtvMask | hw::dc_tc::kDpeMask |
              (iommu_.updates_dirty() ? hw::dc_tc::kSadeMask : 0);
  target.fsc = directory_->pdtp();
  target.ats = true;
  return target;
}

RiscvDevice::ProcessTarget RiscvDevice::process_target(const RiscvDomain& domain) const {
  ProcessTarget target;
  target.ta = hw::pc_ta::kVMask | (std::uint64_t{domain.tag().number} << hw::pc_ta::kPscidShift) |
              (description_.pasid_privileged ? hw::pc_ta::kEnsMask | hw::pc_ta::kSumMask : 0);
  target.fsc = domain.fsc();
  return target;
}

int RiscvDevice::attach_pasid(std::uint32_t pasid, domain::Translation& translation) {
  auto* const next = dynamic_cast<RiscvDomain*>(translation.paging());
  if (pasid == 0 || (pasid >> pasid_width()) != 0) return EINVAL;
  if (next == nullptr || next->tag().second_stage || !suits(*next)) return EINVAL;
  if (rid_.domain != nullptr && rid_.domain->tag().second_stage) return EINVAL;
  const auto known = processes_.find(pasid);
  return known != processes_.end() && known->second.domain == next ? 0 : attach_process(pasid, *next);
}

int RiscvDevice::attach_process(std::uint32_t process, RiscvDomain& domain) {
  if (!directory_)
    directory_ = std::make_unique<ProcessDirectory>(iommu_.ports(), iommu_.capabilities(), pasid_width());
  std::uint64_t default_context = 0, context = 0;
  if (const int error = directory_->locate(0, default_context)) return error;
  if (const int error = directory_->locate(process, context)) return error;
  const Use use{&domain, Link{this, domain.tag(), process == 0 ? std::nullopt : std::optional(process)}};
  link_process(process, use);  // before the context: no unmap may miss this IOMMU
  if (in_directory_) {
    switch_process(process, context, use, process_target(domain));
    return 0;
  }
  {
    const std::unique_lock guard(*contexts_lock_);
    write_process(default_context, rid_.domain != nullptr ? process_target(*rid_.domain) : ProcessTarget{});
    write_process(context, process_target(domain));
    invalidate_contexts();
    write_contexts(target_of_directory());
    in_directory_ = true;
  }
  drop(std::exchange(use_of(process), use));
  return 0;
}

/// Takes all memory that the attachment needs; nothing after it fails.
void RiscvDevice::link_process(std::uint32_t process, const Use& use) {
  const bool fresh = process != 0 && processes_.count(process) == 0;
  if (fresh) processes_.emplace(process, Use{});
  try {
    use.domain->links().add(use.link);
  } catch (...) {
    if (fresh) processes_.erase(process);
    throw;
  }
}

void RiscvDevice::block_pasid(std::uint32_t pasid) {
  if (processes_.count(pasid) == 0) return;
  std::uint64_t context = 0;
  hal::ensure(directory_->locate(pasid, context) == 0, "an attached process has no context");
  switch_process(pasid, context, {}, {});
  processes_.erase(pasid);
  if (processes_.empty() && rid_.domain == nullptr) switch_to({}, {});
}

void RiscvDevice::block_everything() {
  while (!processes_.empty()) block_pasid(processes_.begin()->first);
  block();
}

void RiscvDevice::switch_process(std::uint32_t process, std::uint64_t context, const Use& next,
                                 const ProcessTarget& target) {
  {
    const std::unique_lock guard(*contexts_lock_);
    hal::Memory& memory = iommu_.ports().memory;
    const std::uint64_t old = memory.load64(context + kProcessTaOffset);
    if ((old & hw::pc_ta::kVMask) != 0) {
      memory.store64(context + kProcessTaOffset, old & ~hw::pc_ta::kVMask);
      forget_process(process, old);
      // As with a device context: the device forgets last, when nothing is granted any more.
      const DeviceAtc::Process pasid = process == 0 ? DeviceAtc::Process() : DeviceAtc::Process(process);
      if (atc_.on()) (void)atc_.again(0, ~0ULL, pasid);
    }
    if (target.ta != 0) {
      write_process(context, target);
      forget_process(process, target.ta);
    }
  }
  drop(std::exchange(use_of(process), next));
}

/// IOMMU 6.3.2.
void RiscvDevice::forget_process(std::uint32_t process, std::uint64_t ta) {
  for (const Context& context : contexts_) (void)iommu_.commands().submit(inval_pdt(context.device_id, process));
  (void)iommu_.commands().submit(
      iotinval_pscid(static_cast<std::uint32_t>(field_of(ta, hw::pc_ta::kPscidMask, hw::pc_ta::kPscidShift))));
  (void)iommu_.commands().fence();
}

void RiscvDevice::write_process(std::uint64_t context, const ProcessTarget& target) {
  hal::Memory& memory = iommu_.ports().memory;
  memory.store64(context + kProcessFscOffset, target.fsc);
  memory.barrier();  // hardware that sees V sees the rest
  memory.store64(context + kProcessTaOffset, target.ta);
}

}  // namespace iommusim::drivers::riscv
