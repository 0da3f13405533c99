// SPDX-License-Identifier: Apache-2.0
// How a translation ends: permissions of both stages, causes by access and stage, the fault record, the response.
#include "spec/formats.h"
#include "translate/registers.h"
#include "translate/translation.h"

namespace iommusim::translate {
namespace {

/// R, W and X as the access needs them. AMOs count as writes, and W implies R in a valid entry.
bool permits_access(const StageAttributes& attributes, const Request& request) {
  if (request.is_write()) return attributes.write;
  if (!request.execute) return attributes.read;
  return attributes.execute && (attributes.read || request.type == AddressType::kUntranslated);
}

}  // namespace

/// Privileged, step 5, and IOMMU 2.2.3 for SUM: a supervisor reads and writes user pages only with SUM = 1, and
/// executes none of them.
bool Translation::first_stage_permits(const StageAttributes& attributes) const {
  if (!attributes.active) return true;
  if (supervisor_ ? attributes.user && (!sum_ || request_.execute) : !attributes.user) return false;
  return permits_access(attributes, request_);
}

/// IOMMU 2.3: every access is a user's to the second stage. Implicit reads need R, the update of an entry W.
bool Translation::second_stage_permits(const StageAttributes& attributes) const {
  if (!attributes.active) return true;
  if (!attributes.user) return false;
  switch (goal_) {
    case Goal::kFinal:
      return permits_access(attributes, request_);
    case Goal::kFirstStageUpdate:
      return attributes.write;
    default:
      return attributes.read;
  }
}

/// Causes name the original access, also when an implicit one met the fault.
spec::Cause Translation::by_access(spec::Cause execute, spec::Cause read, spec::Cause write) const {
  if (request_.is_write()) return write;
  return request_.execute ? execute : read;
}

void Translation::page_fault() {
  fault(by_access(spec::Cause::kInstructionPageFault, spec::Cause::kReadPageFault, spec::Cause::kWritePageFault));
}

/// IOMMU 4.2: iotval2 has the guest-physical address; bit 0 tells of an implicit access, bit 1 that it was a write.
void Translation::guest_page_fault(std::uint64_t gpa, Goal goal) {
  std::uint64_t iotval2 = gpa & spec::fault_w3::kGpa.mask();
  if (goal != Goal::kFinal) iotval2 |= spec::fault_w3::kImplicit.mask();
  if (goal == Goal::kFirstStageUpdate) iotval2 |= spec::fault_w3::kWrite.mask();
  fault(by_access(spec::Cause::kInstructionGuestPageFault, spec::Cause::kReadGuestPageFault,
                  spec::Cause::kWriteGuestPageFault),
        iotval2);
}

/// A page-table entry that could not be read or updated; for the process directory IOMMU 2.3.2.
void Translation::walk_memory_fault(MemoryStatus status, Goal goal) {
  const bool corrupt = status == MemoryStatus::kCorrupt;
  if (goal == Goal::kProcessDirectory) return fault(corrupt ? spec::Cause::kPdtCorrupt : spec::Cause::kPdtAccessFault);
  if (corrupt) return fault(spec::Cause::kPageTableCorrupt);
  fault(by_access(spec::Cause::kInstructionAccessFault, spec::Cause::kReadAccessFault, spec::Cause::kWriteAccessFault));
}

/// IOMMU 4.2, table "Fault record TTYP field encodings".
std::uint8_t Translation::transaction_type() const {
  if (request_.type == AddressType::kAtsRequest) return spec::ttyp::kAtsRequest;
  const bool translated = request_.type == AddressType::kTranslated;
  if (request_.is_write()) return translated ? spec::ttyp::kTranslatedWrite : spec::ttyp::kUntranslatedWrite;
  if (request_.execute) return translated ? spec::ttyp::kTranslatedExecute : spec::ttyp::kUntranslatedExecute;
  return translated ? spec::ttyp::kTranslatedRead : spec::ttyp::kUntranslatedRead;
}

/// DTF suppresses the record (not the response) of the causes that IOMMU 4.2 lists; it is 0 before a context is
/// located.
void Translation::fault(spec::Cause cause, std::uint64_t iotval2) {
  const spec::CauseInfo* info = spec::find_cause(cause);
  const bool suppressed = device_located_ && device_context_.faults_disabled() && !info->reported_with_dtf;
  outcome_ = {};
  outcome_.kind = Outcome::Kind::kFault;
  outcome_.response = Response::kUnsupportedRequest;
  outcome_.record_fault = !suppressed;
  FaultRecord& record = outcome_.fault;
  record.cause = static_cast<std::uint16_t>(cause);
  record.transaction_type = transaction_type();
  record.device = request_.device;
  record.process_valid = request_.process_valid;
  if (request_.process_valid) {
    record.process = request_.process;
    record.privileged = request_.privileged;
  }
  record.iotval = request_.iova.value;
  record.iotval2 = iotval2;
  ask_.kind = AskKind::kDone;
}

/// Model: page numbers have 44 bits, so what lies above in an untranslated address does not reach the bus.
void Translation::bypass(std::uint64_t address) {
  outcome_.kind = Outcome::Kind::kTranslated;
  outcome_.spa = address & base::mask_of(base::kPageShift + spec::pte::kPpn.width);
  outcome_.size_log2 = static_cast<std::uint8_t>(registers_->implementation().bare_range_log2);
  outcome_.pbmt = 0;
  outcome_.bypass = true;
  outcome_.record_fault = false;
  outcome_.response = Response::kSuccess;
  outcome_.fault.cause = 0;
  ask_.kind = AskKind::kDone;
}

void Translation::translated(const TranslationEntry& entry) {
  outcome_.kind = Outcome::Kind::kTranslated;
  outcome_.spa = entry.spa + (request_.iova.value & base::mask_of(entry.size_log2));
  outcome_.size_log2 = entry.size_log2;
  outcome_.pbmt = entry.pbmt;
  outcome_.bypass = false;
  outcome_.record_fault = false;
  outcome_.response = Response::kSuccess;
  outcome_.fault.cause = 0;
  ask_.kind = AskKind::kDone;
}

}  // namespace iommusim::translate
