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

/// Steps 5 to 7.
void Translation::read_msi_pte(std::uint64_t gpa) {
  msi_gpa_ = gpa;
  const std::uint64_t file = extract(gpa >> base::kPageShift, device_context_.msi_addr_mask());
  const std::uint64_t table = spec::dc_msiptp::kPpn.get(device_context_.msiptp()) << base::kPageShift;
  ask_read(table | file * spec::kMsiPteBytes, spec::kMsiPteBytes, Structure::kMsiPte, 0, Step::kMsiRead);
}

/// Steps 7 and 8.
void Translation::msi_pte_fault(MemoryStatus status) {
  fault(status == MemoryStatus::kCorrupt ? spec::Cause::kMsiPtCorrupt : spec::Cause::kMsiPteAccessFault);
}

/// Steps 9 to 14. Model: there is no custom format, so C = 1 is misconfigured.
void Translation::take_msi_pte(std::uint64_t word0, std::uint64_t word1) {
  if (!basic::kV.is_set(word0)) return fault(spec::Cause::kMsiPteNotValid);
  if (basic::kC.is_set(word0)) return fault(spec::Cause::kMsiPteMisconfigured);
  switch (basic::kM.get(word0)) {
    case spec::msi_pte_mode::kBasic:
      return take_basic_msi_pte(word0);
    case spec::msi_pte_mode::kMrif:
      return take_mrif_msi_pte(word0, word1);
    default:
      return fault(spec::Cause::kMsiPteMisconfigured);
  }
}

/// Step 13. AIA: the second doubleword of a basic PTE is ignored.
void Translation::take_basic_msi_pte(std::uint64_t word0) {
  if ((word0 & basic::kReserved) != 0) return fault(spec::Cause::kMsiPteMisconfigured);
  MsiTarget target;
  target.address = basic::kPpn.get(word0) << base::kPageShift | (msi_gpa_ & base::mask_of(base::kPageShift));
  msi_translated(target);
}

/// Step 14.
void Translation::take_mrif_msi_pte(std::uint64_t word0, std::uint64_t word1) {
  if (!registers_->implementation().msi_mrif || (word0 & mrif0::kReserved) != 0 || (word1 & mrif1::kReserved) != 0)
    return fault(spec::Cause::kMsiPteMisconfigured);
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
