// SPDX-License-Identifier: Apache-2.0
// One function per group of rules; the numbers are those of the list in IOMMU 2.1.4 "Device-context configuration
// checks" (DC) and 2.2.4 "Process-context configuration checks" (PC).
#include "spec/context_checks.h"

namespace iommusim::spec {
namespace {

/// DC rules 8 and 9 (iosatp), 10, 11; PC rules 2 to 4: encoding valid and supported.
bool first_stage_mode_supported(unsigned mode, bool sxl, const Implementation& i) {
  if (mode == iosatp_mode::kBare) return true;
  if (sxl) return mode == iosatp_mode::kSv32 && i.sv32;
  switch (mode) {
    case iosatp_mode::kSv39:
      return i.sv39;
    case iosatp_mode::kSv48:
      return i.sv48;
    case iosatp_mode::kSv57:
      return i.sv57;
    default:
      return false;
  }
}

/// DC rules 13 to 15.
bool second_stage_mode_supported(unsigned mode, bool gxl, const Implementation& i) {
  if (mode == iohgatp_mode::kBare) return true;
  if (gxl) return mode == iohgatp_mode::kSv32x4 && i.sv32x4;
  switch (mode) {
    case iohgatp_mode::kSv39x4:
      return i.sv39x4;
    case iohgatp_mode::kSv48x4:
      return i.sv48x4;
    case iohgatp_mode::kSv57x4:
      return i.sv57x4;
    default:
      return false;
  }
}

/// DC rule 8.
bool process_directory_mode_supported(unsigned mode, const Implementation& i) {
  switch (mode) {
    case pdtp_mode::kBare:
      return true;
    case pdtp_mode::kPd8:
      return i.pd8;
    case pdtp_mode::kPd17:
      return i.pd17;
    case pdtp_mode::kPd20:
      return i.pd20;
    default:
      return false;
  }
}

/// DC rule 1: bits reserved for future standard use.
bool reserved_bits_set(const DeviceContext& dc, const Implementation& i) {
  const std::uint64_t ta_reserved = dc_ta::kReserved | (i.qosid ? 0 : dc_ta::kRcid.mask() | dc_ta::kMcid.mask());
  if ((dc.tc() & dc_tc::kReserved) != 0 || (dc.ta() & ta_reserved) != 0 || (dc.fsc() & dc_fsc::kReserved) != 0)
    return true;
  if (!i.msi_flat) return false;
  // IOMMU 2.1.3.6: mask and pattern bits beyond the widest guest-physical address are reserved.
  const std::uint64_t page_bits = base::mask_of(msi_address_bits(i) - base::kPageShift);
  return (dc.msiptp() & dc_msiptp::kReserved) != 0 || (dc.msi_addr_mask() & ~page_bits) != 0 ||
         (dc.msi_addr_pattern() & ~page_bits) != 0 || dc.words[7] != 0;
}

/// DC rules 2 to 7: ATS, page requests and T2GPA.
bool ats_misconfigured(const DeviceContext& dc, const Implementation& i) {
  const bool prpr = dc_tc::kPrpr.is_set(dc.tc());
  if (!i.ats && (dc.ats_enabled() || dc.page_requests_enabled() || prpr)) return true;
  if (!dc.ats_enabled() && (dc.returns_gpa() || dc.page_requests_enabled())) return true;
  if (!dc.page_requests_enabled() && prpr) return true;
  return dc.returns_gpa() && (!i.t2gpa || !dc.second_stage_active());
}

/// DC rules 8 to 12: what fsc holds, and DPE.
bool first_stage_misconfigured(const DeviceContext& dc, const Implementation& i) {
  if (dc.has_process_directory()) return !process_directory_mode_supported(dc.fsc_mode(), i);
  return !first_stage_mode_supported(dc.fsc_mode(), dc.sxl(), i) || dc.default_process();
}

/// DC rules 13 to 15 and 17: second-stage mode, 16 KiB alignment of its root.
bool second_stage_misconfigured(const DeviceContext& dc, const Implementation& i, std::uint64_t fctl) {
  if (!second_stage_mode_supported(dc.second_stage_mode(), fctl::kGxl.is_set(fctl), i)) return true;
  return dc.second_stage_active() && base::bits(dc_iohgatp::kPpn.get(dc.iohgatp()), 0, 2) != 0;
}

/// DC rule 16, and the recommendation at the list's end: without a second stage msiptp.MODE must be Off.
bool msi_misconfigured(const DeviceContext& dc, const Implementation& i) {
  if (!i.msi_flat) return false;
  if (dc.msi_mode() > msiptp_mode::kFlat) return true;
  return dc.msi_mode() != msiptp_mode::kOff && !dc.second_stage_active();
}

/// DC rules 18 to 21: A/D updates, SBE and SXL.
bool control_misconfigured(const DeviceContext& dc, const Implementation& i, std::uint64_t fctl) {
  if (!i.amo_hwad && (dc.updates_first_stage() || dc.updates_second_stage())) return true;
  const bool big_endian = fctl::kBe.is_set(fctl);
  if (dc.first_stage_big_endian() != big_endian && !(i.end && i.be_writeable)) return true;
  if (fctl::kGxl.is_set(fctl)) return !dc.sxl();
  return dc.sxl() && !i.gxl_writeable;
}

/// DC rule 22: QoS identifiers wider than supported.
bool qosid_misconfigured(const DeviceContext& dc, const Implementation& i) {
  if (!i.qosid) return false;
  const std::uint64_t rcid_mask = iommu_qosid::kRcid.get(i.qosid_mask);
  const std::uint64_t mcid_mask = iommu_qosid::kMcid.get(i.qosid_mask);
  return (dc_ta::kRcid.get(dc.ta()) & ~rcid_mask) != 0 || (dc_ta::kMcid.get(dc.ta()) & ~mcid_mask) != 0;
}

}  // namespace

unsigned msi_address_bits(const Implementation& i) {
  if (i.sv57x4) return kSv57x4.address_bits;
  if (i.sv48x4) return kSv48x4.address_bits;
  if (i.sv39x4) return kSv39x4.address_bits;
  if (i.sv32x4) return kSv32x4.address_bits;
  return i.pas;
}

bool misconfigured(const DeviceContext& dc, const Implementation& i, std::uint64_t fctl) {
  return reserved_bits_set(dc, i) || ats_misconfigured(dc, i) || first_stage_misconfigured(dc, i) ||
         second_stage_misconfigured(dc, i, fctl) || msi_misconfigured(dc, i) || control_misconfigured(dc, i, fctl) ||
         qosid_misconfigured(dc, i);
}

bool misconfigured(const ProcessContext& pc, const Implementation& i, bool sxl) {
  if ((pc.ta() & pc_ta::kReserved) != 0 || (pc.fsc() & pc_fsc::kReserved) != 0) return true;  // PC rule 1
  return !first_stage_mode_supported(pc.fsc_mode(), sxl, i);                                  // PC rules 2 to 4
}

}  // namespace iommusim::spec
