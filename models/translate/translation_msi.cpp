// SPDX-License-Identifier: Apache-2.0
// Translation of MSI addresses (IOMMU 2.3.3; AIA 9.5). Model: MSI PTEs are not cached. In MRIF mode the IOMMU stores
// into the file and sends the notice (translation_mrif.cpp) if the request brings the message's data; else the IO
// bridge is to do that, and the outcome tells it where.
#include "translate/byte_order.h"
#include "translate/registers.h"
#include "translate/translation.h"

namespace iommusim::translate {
namespace {

namespace basic = spec::msi_pte_w0;
namespace mrif0 = spec::msi_pte_mrif_w0;
namespace mrif1 = spec::msi_pte_mrif_w1;

/// 2.3.3 step 5: the bits of `value` that `mask` selects, packed at the low end.
std::uint64_t extract(std::uint64_t value, std::uint64_t mask) {
  std::uint64_t packed = 0;
  for (unsigned position = 0; mask != 0; mask &= mask - 1, ++position)
    packed |= ((value & mask & -mask) != 0 ? 1ULL : 0ULL) << position;
  return packed;
}

}  // namespace

bool Translation::has_msi_translation() const {
  return device_located_ && device_context_.msi_mode() != spec::msiptp_mode::kOff;
}

/// IOMMU 2.1.3.6, for any page of the aligned range of 2^size_log2 bytes around `gpa`.
bool Translation::holds_msi_address(std::uint64_t gpa, unsigned size_log2) const {
  if (!has_msi_translation()) return false;
  const std::uint64_t free = device_context_.msi_addr_mask() | base::mask_of(size_log2 - base::kPageShift);
  return (((gpa >> base::kPageShift) ^ device_context_.msi_addr_pattern()) & ~free) == 0;
}
bool Translation::is_msi_address(std::uint64_t gpa) const { return holds_msi_address(gpa, base::kPageShift); }

void Translation::find_msi_pte(std::uint64_t gpa) {
  msi_gpa_ = gpa;
  ask_.kind = AskKind::kLookupMsi;
  ask_.msi = {device_context_.gscid(), gpa};
  step_ = Step::kMsiLookup;
}

/// Steps 5 to 7.
void Translation::read_msi_pte() {
  const std::uint64_t file = extract(msi_gpa_ >> base::kPageShift, device_context_.msi_addr_mask());
  const std::uint64_t table = spec::dc_msiptp::kPpn.get(device_context_.msiptp()) << base::kPageShift;
  ask_read(table | file * spec::kMsiPteBytes, spec::kMsiPteBytes, Structure::kMsiPte, 0, Step::kMsiRead);
}

/// Steps 7 and 8.
void Translation::msi_pte_fault(MemoryStatus status) {
  fault(status == MemoryStatus::kCorrupt ? spec::Cause::kMsiPtCorrupt : spec::Cause::kMsiPteAccessFault);
}

/// Steps 9 to 14: what is wrong with the entry. Model: there is no custom format, so C = 1 is misconfigured. AIA: the
/// second doubleword of a basic PTE is ignored.
spec::Cause Translation::msi_pte_cause(std::uint64_t word0, std::uint64_t word1) const {
  if (!basic::kV.is_set(word0)) return spec::Cause::kMsiPteNotValid;
  if (basic::kC.is_set(word0)) return spec::Cause::kMsiPteMisconfigured;
  const auto mode = basic::kM.get(word0);
  const bool is_basic = mode == spec::msi_pte_mode::kBasic && (word0 & basic::kReserved) == 0;
  const bool is_mrif = mode == spec::msi_pte_mode::kMrif && registers_->implementation().msi_mrif &&
                       (word0 & mrif0::kReserved) == 0 && (word1 & mrif1::kReserved) == 0;
  return is_basic || is_mrif ? spec::Cause{} : spec::Cause::kMsiPteMisconfigured;
}

/// Model: an entry is kept when it is not only valid (IOMMU 2.8) but of use.
void Translation::keep_msi_pte(std::uint64_t word0, std::uint64_t word1) {
  if (const spec::Cause cause = msi_pte_cause(word0, word1); cause != spec::Cause{}) return fault(cause);
  ask_.kind = AskKind::kFillMsi;
  ask_.msi_entry = {word0, word1};
  step_ = Step::kMsiFill;
}

/// Steps 13 and 14.
void Translation::use_msi_pte(const MsiEntry& entry) {
  if (basic::kM.get(entry.word0) == spec::msi_pte_mode::kMrif) return use_mrif_msi_pte(entry.word0, entry.word1);
  MsiTarget target;
  target.address = basic::kPpn.get(entry.word0) << base::kPageShift | (msi_gpa_ & base::mask_of(base::kPageShift));
  msi_translated(target);
}

/// Step 14.
void Translation::use_mrif_msi_pte(std::uint64_t word0, std::uint64_t word1) {
  // Model: tr_response cannot tell of a memory-resident file, so the debug interface does not translate to one.
  if (request_.debug) return fault(spec::Cause::kTransactionTypeDisallowed);
  MsiTarget target;
  target.mrif = true;
  target.mrif_address = mrif0::kMrifAddress.get(word0) << 9;
  target.address = mrif1::kNppn.get(word1) << base::kPageShift;
  target.notice_id = static_cast<std::uint16_t>(mrif1::kN10.get(word1) << 10 | mrif1::kNid.get(word1));
  msi_translated(target);
  const bool is_access = outcome_.kind == Outcome::Kind::kTranslated && request_.type != AddressType::kAtsRequest;
  if (request_.stores_msi && is_access) store_msi();
}

/// Step 15: an MSI page is as a second-stage page with R = W = U = 1 and X = 0.
void Translation::msi_translated(const MsiTarget& target) {
  if (request_.execute && request_.type != AddressType::kAtsRequest) return fault(spec::Cause::kInstructionAccessFault);
  TranslationEntry entry;
  entry.first = first_.active() ? first_.attributes : StageAttributes{};
  entry.first.global = false;  // IOMMU 2.6: Global is 0 for MSI addresses
  entry.second = {true, true, true, false, true, false, true, base::kPageShift};
  entry.pbmt = first_.active() ? first_.pbmt : std::uint8_t{0};
  succeed(entry, target.address, &target);
}

}  // namespace iommusim::translate
