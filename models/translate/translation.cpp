// SPDX-License-Identifier: Apache-2.0
// The frame of a translation: the order of IOMMU 2.3, and the way from an answer to the next step. Device and process
// contexts are located in translation_device.cpp and translation_process.cpp, page tables walked in
// translation_walk.cpp; faults and permissions are in translation_outcome.cpp.
#include "translate/translation.h"

#include <algorithm>

#include "base/error.h"
#include "translate/byte_order.h"
#include "translate/registers.h"

namespace iommusim::translate {

/// IOMMU 2.3 steps 1, 2 and 5.
void Translation::start(const Request& request, const Registers& registers, Effects effects) {
  request_ = request;
  // ATS is PCIe's, where Execute Requested is part of the PASID prefix: without one nothing is executed.
  if (request.type != AddressType::kUntranslated && !request.process_valid) request_.execute = false;
  registers_ = &registers;
  effects_ = effects;
  ask_.memory.qos = registers.qos();
  device_located_ = fill_due_ = sum_ = false;
  supervisor_ = request.process_valid && request.privileged;
  const spec::DdtMode mode = registers.ddt_mode();
  if (mode == spec::DdtMode::kOff) return fault(spec::Cause::kAllInboundDisallowed);
  if (mode == spec::DdtMode::kBare) {
    if (request.type != AddressType::kUntranslated) return fault(spec::Cause::kTransactionTypeDisallowed);
    return bypass(request.iova.value);
  }
  if (device_id_too_wide()) return fault(spec::Cause::kTransactionTypeDisallowed);
  begin_device_directory();
  ask_.kind = AskKind::kLookupDevice;
  ask_.device = request.device;
  step_ = Step::kDeviceLookup;
}

AddressSpaceTag Translation::tag() const {
  AddressSpaceTag tag;
  tag.second_stage = second_.active();
  tag.first_stage = first_.active();
  if (tag.second_stage) tag.gscid = device_context_.gscid();
  if (tag.first_stage) tag.pscid = pscid_;
  return tag;
}

void Translation::set_first_stage(unsigned mode, std::uint64_t ppn, base::Pscid pscid) {
  const spec::Implementation& implementation = registers_->implementation();
  first_.mode = spec::first_stage_paging(mode, device_context_.sxl());
  first_.reserved = spec::reserved_pte_bits(first_.mode, implementation.svpbmt, implementation.svrsw60t59b);
  first_root_ = ppn << base::kPageShift;
  pscid_ = pscid;
}

void Translation::prepare_second_stage() {
  const spec::Implementation& implementation = registers_->implementation();
  const bool gxl = spec::fctl::kGxl.is_set(registers_->fctl());
  second_.mode = spec::second_stage_paging(device_context_.second_stage_mode(), gxl);
  second_.reserved = spec::reserved_pte_bits(second_.mode, implementation.svpbmt, implementation.svrsw60t59b);
}

/// Steps 17 to 20: what the stages are is known. An IOVA that no table could map faults before any cache is asked.
void Translation::translate() {
  const std::uint64_t iova = request_.iova.value;
  if (!first_.active() && !second_.active()) return bypass(iova);
  if (first_.active() && !spec::first_stage_accepts(first_.mode, iova)) return page_fault();
  if (!first_.active() && is_msi_address(iova)) return find_msi_pte(iova);
  if (!first_.active() && !second_stage_accepts(iova)) return guest_page_fault(iova, Goal::kFinal);
  ask_.kind = AskKind::kLookupTranslation;
  ask_.key.tag = tag();
  ask_.key.iova = iova;
  ask_.key.is_write = wants_write();
  goal_ = Goal::kFinal;
  step_ = Step::kTranslationLookup;
}

/// log2 of the range that translates like `gpa`: the smaller page, and no page of an interrupt file in it.
std::uint8_t Translation::range_log2(const TranslationEntry& entry, std::uint64_t gpa) const {
  const spec::Implementation& implementation = registers_->implementation();
  const unsigned first = entry.first.active ? entry.first.size_log2 : implementation.first_bare_log2;
  const unsigned second = entry.second.active ? entry.second.size_log2 : implementation.second_bare_log2;
  const unsigned smaller = std::min(first, second);
  return static_cast<std::uint8_t>(holds_msi_address(gpa, smaller) ? base::kPageShift : smaller);
}

/// Both stages gave a page: the combined entry.
void Translation::finish_walks() {
  const std::uint64_t gpa = first_.active() ? first_.target() : request_.iova.value;
  const std::uint64_t spa = second_.active() ? second_.target() : gpa;
  TranslationEntry& entry = ask_.entry;
  entry.first = first_.active() ? first_.attributes : StageAttributes{};
  entry.second = second_.active() ? second_.attributes : StageAttributes{};
  entry.size_log2 = range_log2(entry, gpa);
  entry.spa = spa & ~base::mask_of(entry.size_log2);
  entry.gpa = gpa & ~base::mask_of(entry.size_log2);
  // Privileged, "Svpbmt", two stages: a first-stage type other than PMA prevails over the second stage's.
  entry.pbmt = first_.active() && first_.pbmt != 0 ? first_.pbmt : second_.active() ? second_.pbmt : std::uint8_t{0};
  ask_.kind = AskKind::kFillTranslation;
  step_ = Step::kTranslationFill;
}

/// IOMMU 2.1.3.3: what the device's own requests carry, and those of the IOMMU to the structures of its address spaces.
QosId Translation::device_qos() const {
  if (!registers_->implementation().qosid) return {};
  const std::uint64_t ta = device_context_.ta();
  return {static_cast<std::uint16_t>(spec::dc_ta::kRcid.get(ta)),
          static_cast<std::uint16_t>(spec::dc_ta::kMcid.get(ta))};
}

/// Model: an access beyond capabilities.PAS is answered here, as the PMA violation that it is.
void Translation::ask_read(std::uint64_t spa, unsigned bytes, Structure structure, unsigned level, Step step) {
  step_ = step;
  ask_.kind = AskKind::kRead;
  ask_.memory.address = spa;
  ask_.memory.bytes = static_cast<std::uint8_t>(bytes);
  ask_.memory.structure = structure;
  ask_.memory.level = static_cast<std::uint8_t>(level);
  if (spa >> registers_->implementation().pas != 0) memory({MemoryStatus::kAccessFault, {}});
}

void Translation::miss() {
  switch (step_) {
    case Step::kDeviceLookup:
      return locate_device();
    case Step::kDeviceDirectoryLookup:
      return next_device_directory_entry();
    case Step::kProcessLookup:
      return locate_process();
    case Step::kProcessDirectoryLookup:
      return next_process_directory_entry();
    case Step::kTranslationLookup:
      if (first_.active()) return begin_first_stage();
      return begin_second_stage(request_.iova.value, Goal::kFinal);
    case Step::kFirstLookup:
      return next_first_stage_entry();
    case Step::kSecondLookup:
      return read_second_stage();
    case Step::kMsiLookup:
      return read_msi_pte();
    default:
      base::contradiction("miss() without a look-up");
  }
}

void Translation::hit(const spec::DeviceContext& context) {
  device_context_ = context;
  use_device_context();
}

void Translation::hit(const spec::ProcessContext& context) {
  process_context_ = context;
  use_process_context();
}

/// A cached translation is judged like a walked one: it carries the permissions of both stages.
void Translation::hit(const TranslationEntry& entry) {
  if (!first_stage_permits(entry.first)) return page_fault();
  const std::uint64_t offset = request_.iova.value & base::mask_of(entry.size_log2);
  if (!second_stage_permits(entry.second)) return guest_page_fault(entry.gpa + offset, Goal::kFinal);
  translated(entry);
}

/// The walk goes on below a cached non-leaf entry, whose table is known by its system-physical address.
void Translation::hit(const WalkEntry& entry) {
  PageWalk& walk = step_ == Step::kFirstLookup ? first_ : second_;
  walk.level = static_cast<std::uint8_t>(entry.level - 1);
  walk.global = entry.global;
  if (step_ == Step::kFirstLookup) {
    walk.table = second_.active() ? entry.table_gpa : entry.table;
    walk.pte_address = entry.table + walk.entry_offset();
    return read_first_stage();
  }
  walk.table = entry.table;
  read_second_stage();
}

void Translation::hit(const DirectoryEntry& entry) {
  directory_level_ = static_cast<std::uint8_t>(entry.level - 1);
  if (step_ == Step::kProcessDirectoryLookup) {
    directory_entry_ = entry.table + process_directory_offset();
    return read_process_directory();
  }
  directory_ = entry.table;
  next_device_directory_entry();
}

void Translation::hit(const MsiEntry& entry) { use_msi_pte(entry); }

void Translation::memory(const MemoryAnswer& answer) {
  const bool ok = answer.status == MemoryStatus::kOk;
  const std::uint64_t word = answer.data[0];
  switch (step_) {
    case Step::kDeviceDirectoryRead:
      return ok ? take_device_directory_entry(to_host(word, 8, registers_->big_endian()))
                : device_directory_fault(answer.status);
    case Step::kDeviceRead:
      return ok ? take_device_context(answer) : device_directory_fault(answer.status);
    case Step::kProcessDirectoryRead:
      return ok ? take_process_directory_entry(to_host(word, 8, device_context_.first_stage_big_endian()))
                : walk_memory_fault(answer.status, Goal::kProcessDirectory);
    case Step::kProcessRead:
      return ok ? take_process_context(answer) : walk_memory_fault(answer.status, Goal::kProcessDirectory);
    case Step::kFirstRead:
      return ok ? take_first_stage_entry(first_stage_word(word))
                : walk_memory_fault(answer.status, Goal::kFirstStageRead);
    case Step::kFirstUpdate:
      return ok ? first_stage_swapped(first_stage_word(word))
                : walk_memory_fault(answer.status, Goal::kFirstStageUpdate);
    case Step::kSecondRead:
      return ok ? take_second_stage_entry(second_stage_word(word)) : walk_memory_fault(answer.status, goal_);
    case Step::kMsiRead:
      if (!ok) return msi_pte_fault(answer.status);
      return keep_msi_pte(to_host(word, 8, registers_->big_endian()),
                          to_host(answer.data[1], 8, registers_->big_endian()));
    case Step::kMrifRead:
      return ok ? mrif_pending_read(word) : mrif_fault(answer.status);
    case Step::kMrifSwap:
      return ok ? mrif_pending_swapped(word) : mrif_fault(answer.status);
    case Step::kMrifWrite:
      return ok ? mrif_pending_set() : mrif_fault(answer.status);
    case Step::kMrifEnableRead:
      return ok ? mrif_enable_read(word) : mrif_fault(answer.status);
    case Step::kNoticeWrite:
      return notice_written(answer.status);
    case Step::kSecondUpdate:
      return ok ? second_stage_swapped(second_stage_word(word)) : walk_memory_fault(answer.status, goal_);
    default:
      base::contradiction("memory() without an access");
  }
}

void Translation::resume() {
  switch (step_) {
    case Step::kDeviceDirectoryFill:
      return next_device_directory_entry();
    case Step::kDeviceFill:
      return use_device_context();
    case Step::kProcessDirectoryFill:
      return read_process_directory();
    case Step::kProcessFill:
      return use_process_context();
    case Step::kFirstFill:
      return read_first_stage();
    case Step::kSecondFill:
      return read_second_stage();
    case Step::kTranslationFill:
      return translated(ask_.entry);
    case Step::kMsiFill:
      return use_msi_pte(ask_.msi_entry);
    default:
      base::contradiction("resume() without a fill");
  }
}

}  // namespace iommusim::translate
