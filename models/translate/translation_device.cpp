// SPDX-License-Identifier: Apache-2.0
// Locating the device context (IOMMU 2.3.1) and what it decides (IOMMU 2.3 steps 3 to 10).
#include "base/error.h"
#include "spec/context_checks.h"
#include "spec/directories.h"
#include "translate/byte_order.h"
#include "translate/registers.h"
#include "translate/translation.h"

namespace iommusim::translate {
namespace {

unsigned directory_levels(spec::DdtMode mode) {
  return static_cast<unsigned>(mode) - static_cast<unsigned>(spec::DdtMode::kBare);
}

}  // namespace

/// Steps 3 and 4.
unsigned Translation::device_directory_index(unsigned level) const {
  return spec::device_directory_index(request_.device.value, level, registers_->implementation().msi_flat);
}

/// Step 5: an index beyond the root's is not 0.
bool Translation::device_id_too_wide() const {
  const unsigned levels = directory_levels(registers_->ddt_mode());
  const bool extended = registers_->implementation().msi_flat;
  return levels < 3 && request_.device.value >> spec::device_directory_bits(levels, extended) != 0;
}

DirectoryKey Translation::directory_key(unsigned level) const {
  DirectoryKey key;
  key.device = request_.device;
  key.level = static_cast<std::uint8_t>(level);
  key.leaf_bits = static_cast<std::uint8_t>(spec::device_leaf_bits(registers_->implementation().msi_flat));
  return key;
}

/// 2.3.1 step 1. Model: ddtp is read once, when the request begins; it may change before the context is located.
void Translation::begin_device_directory() {
  directory_ = registers_->ddt_root();
  directory_level_ = static_cast<std::uint8_t>(directory_levels(registers_->ddt_mode()) - 1);
}

/// 2.3.1 step 2.
void Translation::locate_device() {
  if (directory_level_ == 0) return next_device_directory_entry();
  ask_.kind = AskKind::kLookupDirectory;
  ask_.directory = directory_key(0);
  step_ = Step::kDeviceDirectoryLookup;
}

/// 2.3.1 steps 3 and 8: the address of the entry, or of the context.
void Translation::next_device_directory_entry() {
  const unsigned index = device_directory_index(directory_level_);
  if (directory_level_ != 0)
    return ask_read(directory_ + std::uint64_t{index} * spec::kDirectoryEntryBytes, spec::kDirectoryEntryBytes,
                    Structure::kDdt, directory_level_, Step::kDeviceDirectoryRead);
  const unsigned bytes =
      registers_->implementation().msi_flat ? spec::kDeviceContextExtendedBytes : spec::kDeviceContextBaseBytes;
  ask_read(directory_ + std::uint64_t{index} * bytes, bytes, Structure::kDdt, 0, Step::kDeviceRead);
}

/// 2.3.1 steps 3, 4 and 8.
void Translation::device_directory_fault(MemoryStatus status) {
  fault(status == MemoryStatus::kCorrupt ? spec::Cause::kDdtCorrupt : spec::Cause::kDdtAccessFault);
}

/// 2.3.1 steps 5 to 7.
void Translation::take_device_directory_entry(std::uint64_t entry) {
  if (!spec::ddte::kV.is_set(entry)) return fault(spec::Cause::kDdtNotValid);
  if (spec::directory_entry_misconfigured(entry)) return fault(spec::Cause::kDdtMisconfigured);
  directory_ = spec::ddte::kPpn.get(entry) << base::kPageShift;
  ask_.kind = AskKind::kFillDirectory;
  ask_.directory = directory_key(directory_level_);
  ask_.directory_entry = {directory_level_, directory_};
  --directory_level_;
  step_ = Step::kDeviceDirectoryFill;
}

/// 2.3.1 steps 9 to 11.
void Translation::take_device_context(const MemoryAnswer& answer) {
  const unsigned words = ask_.memory.bytes / 8;
  for (unsigned i = 0; i < device_context_.words.size(); ++i)
    device_context_.words[i] = i < words ? to_host(answer.data[i], 8, registers_->big_endian()) : 0;
  if (!device_context_.valid()) return fault(spec::Cause::kDdtNotValid);
  if (spec::misconfigured(device_context_, registers_->implementation(), registers_->fctl()))
    return fault(spec::Cause::kDdtMisconfigured);
  ask_.kind = AskKind::kFillDevice;
  ask_.device_context = &device_context_;
  step_ = Step::kDeviceFill;
}

/// Step 7.
bool Translation::transaction_disallowed() const {
  if (request_.type != AddressType::kUntranslated && !device_context_.ats_enabled()) return true;
  if (!request_.process_valid) return false;
  if (!device_context_.has_process_directory()) return true;
  switch (device_context_.fsc_mode()) {
    case spec::pdtp_mode::kPd8:
      return request_.process.value >> 8 != 0;
    case spec::pdtp_mode::kPd17:
      return request_.process.value >> 17 != 0;
    default:
      return false;
  }
}

/// IOMMU 2.7: a page request wants EN_ATS and EN_PRI.
void Translation::use_for_message() {
  if (!device_context_.ats_enabled() || !device_context_.page_requests_enabled())
    return fault(spec::Cause::kTransactionTypeDisallowed);
  bypass(0);
}

/// Steps 7 to 10.
void Translation::use_device_context() {
  device_located_ = true;
  ask_.memory.qos = device_qos();
  if (request_.type == AddressType::kMessage) return use_for_message();
  if (transaction_disallowed()) return fault(spec::Cause::kTransactionTypeDisallowed);
  prepare_second_stage();
  if (request_.type == AddressType::kTranslated) {
    if (!device_context_.returns_gpa()) return bypass(request_.iova.value);
    set_first_stage(spec::iosatp_mode::kBare, 0, {});
    return translate();
  }
  if (device_context_.has_process_directory()) return use_process_directory();
  set_first_stage(device_context_.fsc_mode(), spec::dc_fsc::kPpn.get(device_context_.fsc()), device_context_.pscid());
  translate();
}

}  // namespace iommusim::translate
