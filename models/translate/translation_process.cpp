// SPDX-License-Identifier: Apache-2.0
// Locating the process context (IOMMU 2.3.2) and what it decides (IOMMU 2.3 steps 11 to 16). Under a second stage the
// directory lies in guest memory: the address of each entry is translated as an implicit read.
#include "spec/context_checks.h"
#include "spec/directories.h"
#include "translate/byte_order.h"
#include "translate/registers.h"
#include "translate/translation.h"

namespace iommusim::translate {
/// Steps 11 to 13: without a process_id and a default, or without a directory, there is no first stage.
void Translation::use_process_directory() {
  process_ = request_.process_valid ? request_.process : base::ProcessId(0);
  const bool has_process = request_.process_valid || device_context_.default_process();
  if (!has_process || device_context_.fsc_mode() == spec::pdtp_mode::kBare) {
    set_first_stage(spec::iosatp_mode::kBare, 0, {});
    return translate();
  }
  ask_.kind = AskKind::kLookupProcess;
  ask_.device = request_.device;
  ask_.process = process_;
  step_ = Step::kProcessLookup;
}

/// 2.3.2 step 1.
void Translation::locate_process() {
  directory_ = spec::dc_fsc::kPpn.get(device_context_.fsc()) << base::kPageShift;
  directory_level_ = static_cast<std::uint8_t>(device_context_.fsc_mode() - spec::pdtp_mode::kPd8);
  fill_due_ = false;
  if (directory_level_ == 0) return next_process_directory_entry();
  ask_.kind = AskKind::kLookupDirectory;
  ask_.directory = {true, request_.device, process_, 0, spec::kProcessLeafBits};
  step_ = Step::kProcessDirectoryLookup;
}

std::uint64_t Translation::process_directory_offset() const {
  return spec::process_directory_offset(process_.value, directory_level_);
}

/// 2.3.2 steps 2 and 3.
void Translation::next_process_directory_entry() {
  const std::uint64_t address = directory_ + process_directory_offset();
  if (second_.active()) return begin_second_stage(address, Goal::kProcessDirectory);
  process_directory_reached(address);
}

/// The entry's system-physical address is known, and with it that of its table.
void Translation::process_directory_reached(std::uint64_t spa) {
  directory_entry_ = spa;
  if (!fill_due_) return read_process_directory();
  fill_due_ = false;
  const auto level = static_cast<std::uint8_t>(directory_level_ + 1);
  ask_.kind = AskKind::kFillDirectory;
  ask_.directory = {true, request_.device, process_, level, spec::kProcessLeafBits};
  ask_.directory_entry = {level, spa & ~base::mask_of(base::kPageShift)};
  step_ = Step::kProcessDirectoryFill;
}

void Translation::read_process_directory() {
  if (directory_level_ != 0)
    return ask_read(directory_entry_, spec::kDirectoryEntryBytes, Structure::kPdt, directory_level_,
                    Step::kProcessDirectoryRead);
  ask_read(directory_entry_, spec::kProcessContextBytes, Structure::kPdt, 0, Step::kProcessRead);
}

/// 2.3.2 steps 7 to 9.
void Translation::take_process_directory_entry(std::uint64_t entry) {
  if (!spec::pdte::kV.is_set(entry)) return fault(spec::Cause::kPdtNotValid);
  if (spec::directory_entry_misconfigured(entry)) return fault(spec::Cause::kPdtMisconfigured);
  directory_ = spec::pdte::kPpn.get(entry) << base::kPageShift;
  --directory_level_;
  fill_due_ = true;
  next_process_directory_entry();
}

/// 2.3.2 steps 11 to 13.
void Translation::take_process_context(const MemoryAnswer& answer) {
  for (unsigned i = 0; i < process_context_.words.size(); ++i)
    process_context_.words[i] = to_host(answer.data[i], 8, device_context_.first_stage_big_endian());
  if (!process_context_.valid()) return fault(spec::Cause::kPdtNotValid);
  if (spec::misconfigured(process_context_, registers_->implementation(), device_context_.sxl()))
    return fault(spec::Cause::kPdtMisconfigured);
  ask_.kind = AskKind::kFillProcess;
  ask_.device = request_.device;
  ask_.process = process_;
  ask_.process_context = &process_context_;
  step_ = Step::kProcessFill;
}

/// Steps 15 and 16.
void Translation::use_process_context() {
  if (supervisor_ && !process_context_.supervisor_allowed()) return fault(spec::Cause::kTransactionTypeDisallowed);
  sum_ = process_context_.sum();
  set_first_stage(process_context_.fsc_mode(), spec::pc_fsc::kPpn.get(process_context_.fsc()),
                  process_context_.pscid());
  translate();
}

}  // namespace iommusim::translate
