// SPDX-License-Identifier: Apache-2.0
// How a translation ends: permissions of both stages, causes by access and stage, the fault record, the response.
#include <algorithm>

#include "spec/formats.h"
#include "translate/registers.h"
#include "translate/translation.h"

namespace iommusim::translate {
namespace {

/// R, W and X as the access needs them. AMOs count as writes, and W implies R in a valid entry. An ATS request is not
/// denied but granted what there is (IOMMU 2.6). Execute without R is for untranslated requests only.
bool permits_access(const StageAttributes& attributes, const Request& request) {
  if (request.type == AddressType::kAtsRequest) return true;
  if (request.is_write()) return attributes.write;
  if (!request.execute) return attributes.read;
  return attributes.execute && (attributes.read || (request.type == AddressType::kUntranslated && !request.debug));
}

}  // namespace

/// Privileged, step 5, and IOMMU 2.2.3 for SUM: a supervisor reads and writes user pages only with SUM = 1, and
/// executes none of them.
bool Translation::first_stage_permits(const StageAttributes& attributes) const {
  if (!attributes.active) return true;
  const bool executes = request_.execute && request_.type != AddressType::kAtsRequest;
  if (supervisor_ ? attributes.user && (!sum_ || executes) : !attributes.user) return false;
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

/// IOMMU 3.2: iotval2 has the guest-physical address; bit 0 tells of an implicit access, bit 1 that it was a write.
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

/// IOMMU 3.2, table "Fault record TTYP field encodings".
std::uint8_t Translation::transaction_type() const {
  if (request_.type == AddressType::kAtsRequest) return spec::ttyp::kAtsRequest;
  if (request_.type == AddressType::kMessage) return spec::ttyp::kMessageRequest;
  const bool translated = request_.type == AddressType::kTranslated;
  if (request_.is_write()) return translated ? spec::ttyp::kTranslatedWrite : spec::ttyp::kUntranslatedWrite;
  if (request_.execute) return translated ? spec::ttyp::kTranslatedExecute : spec::ttyp::kUntranslatedExecute;
  return translated ? spec::ttyp::kTranslatedRead : spec::ttyp::kUntranslatedRead;
}

namespace {

/// IOMMU 2.6 for ATS requests; other requests are aborted.
Response response_to(AddressType type, spec::AtsAnswer answer) {
  if (type != AddressType::kAtsRequest || answer == spec::AtsAnswer::kUnsupportedRequest)
    return Response::kUnsupportedRequest;
  return answer == spec::AtsAnswer::kNoPermission ? Response::kSuccess : Response::kCompleterAbort;
}

}  // namespace

/// DTF suppresses the record (not the response) of the causes that IOMMU 3.2 lists; it is 0 before a context is
/// located. An ATS request that is answered with success leaves no record either (IOMMU 2.6).
void Translation::fault(spec::Cause cause, std::uint64_t iotval2) {
  const spec::CauseInfo* info = spec::find_cause(cause);
  const bool suppressed = device_located_ && device_context_.faults_disabled() && !info->reported_with_dtf;
  outcome_ = {};
  outcome_.response = response_to(request_.type, info->ats_answer);
  const bool answered = outcome_.response == Response::kSuccess;
  outcome_.kind = answered ? Outcome::Kind::kTranslated : Outcome::Kind::kFault;
  outcome_.record_fault = !suppressed && !answered;
  outcome_.ats.privileged = request_.process_valid && request_.privileged;
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

/// The access may write, so that D is to be set where W is: writes, and ATS requests without No Write.
bool Translation::wants_write() const {
  return request_.is_write() || (request_.type == AddressType::kAtsRequest && !request_.no_write);
}

/// Both stages are Bare. Model: page numbers have 44 bits, so what lies above in an untranslated address does not reach
/// the bus.
void Translation::bypass(std::uint64_t address) {
  TranslationEntry entry;
  const spec::Implementation& implementation = registers_->implementation();
  entry.size_log2 =
      static_cast<std::uint8_t>(std::min(implementation.first_bare_log2, implementation.second_bare_log2));
  succeed(entry, address & base::mask_of(base::kPageShift + spec::pte::kPpn.width), nullptr);
  outcome_.bypass = true;
}

void Translation::translated(const TranslationEntry& entry) {
  const std::uint64_t offset = request_.iova.value & base::mask_of(entry.size_log2);
  const bool gives_gpa = request_.type == AddressType::kAtsRequest && device_context_.returns_gpa();
  succeed(entry, (gives_gpa ? entry.gpa : entry.spa) + offset, nullptr);
}

void Translation::succeed(const TranslationEntry& entry, std::uint64_t address, const MsiTarget* msi) {
  outcome_.kind = Outcome::Kind::kTranslated;
  outcome_.spa = address;
  // Model: a device with MSI translation is told of single pages, whatever its tables hold.
  outcome_.size_log2 = has_msi_translation() ? std::uint8_t{base::kPageShift} : entry.size_log2;
  outcome_.pbmt = entry.pbmt;
  outcome_.qos = ask_.memory.qos;  // with ddtp Bare that of iommu_qosid (IOMMU 5.27)
  outcome_.bypass = false;
  outcome_.record_fault = false;
  outcome_.response = Response::kSuccess;
  outcome_.fault.cause = 0;
  outcome_.is_msi = msi != nullptr;
  if (msi != nullptr) outcome_.msi = *msi;
  if (request_.type == AddressType::kAtsRequest) complete_ats(entry, msi);
  ask_.kind = AskKind::kDone;
}

/// IOMMU 2.6: what the tables permit, X only together with R and when asked for.
void Translation::complete_ats(const TranslationEntry& entry, const MsiTarget* msi) {
  const auto readable = [](const StageAttributes& stage) { return !stage.active || stage.read; };
  const auto writable = [](const StageAttributes& stage) { return !stage.active || (stage.write && stage.dirty); };
  const auto executable = [](const StageAttributes& stage) { return !stage.active || stage.execute; };
  const bool supervisor_on_user_page = supervisor_ && entry.first.active && entry.first.user;
  AtsCompletion& ats = outcome_.ats;
  ats.r = readable(entry.first) && readable(entry.second);
  ats.w = ats.r && writable(entry.first) && writable(entry.second);
  ats.x = ats.r && request_.execute && executable(entry.first) && executable(entry.second) && !supervisor_on_user_page;
  ats.privileged = request_.process_valid && request_.privileged;
  ats.global = request_.process_valid && entry.first.active && entry.first.global;
  ats.untranslated_only = msi != nullptr && msi->mrif;
  ats.cxl_io = request_.cxl && (msi != nullptr || device_context_.returns_gpa() || entry.pbmt != 0);
  if (msi != nullptr && device_context_.returns_gpa()) outcome_.spa = msi_gpa_;
}

}  // namespace iommusim::translate
