// SPDX-License-Identifier: Apache-2.0
// Device and process contexts (IOMMU 2.1.3, 2.2.3) as they lie in memory, already in host byte order, with accessors
// for the fields. Holding a context says nothing about its validity: spec/context_checks.h has the checks.
#pragma once

#include <array>
#include <cstdint>

#include "base/types.h"
#include "spec/formats.h"

namespace iommusim::spec {

/// Words 4 to 7 are 0 in base format.
struct DeviceContext {
  std::array<std::uint64_t, 8> words{};

  std::uint64_t tc() const { return words[0]; }
  std::uint64_t iohgatp() const { return words[1]; }
  std::uint64_t ta() const { return words[2]; }
  std::uint64_t fsc() const { return words[3]; }
  std::uint64_t msiptp() const { return words[4]; }
  std::uint64_t msi_addr_mask() const { return words[5]; }
  std::uint64_t msi_addr_pattern() const { return words[6]; }

  bool valid() const { return dc_tc::kV.is_set(tc()); }
  bool ats_enabled() const { return dc_tc::kEnAts.is_set(tc()); }
  bool page_requests_enabled() const { return dc_tc::kEnPri.is_set(tc()); }
  bool returns_gpa() const { return dc_tc::kT2gpa.is_set(tc()); }
  bool faults_disabled() const { return dc_tc::kDtf.is_set(tc()); }
  bool has_process_directory() const { return dc_tc::kPdtv.is_set(tc()); }
  bool updates_second_stage() const { return dc_tc::kGade.is_set(tc()); }
  bool updates_first_stage() const { return dc_tc::kSade.is_set(tc()); }
  bool default_process() const { return dc_tc::kDpe.is_set(tc()); }
  bool first_stage_big_endian() const { return dc_tc::kSbe.is_set(tc()); }
  bool sxl() const { return dc_tc::kSxl.is_set(tc()); }
  std::uint8_t second_stage_mode() const { return static_cast<std::uint8_t>(dc_iohgatp::kMode.get(iohgatp())); }
  bool second_stage_active() const { return second_stage_mode() != iohgatp_mode::kBare; }
  base::Gscid gscid() const { return base::Gscid(static_cast<std::uint16_t>(dc_iohgatp::kGscid.get(iohgatp()))); }
  base::Pscid pscid() const { return base::Pscid(static_cast<std::uint32_t>(dc_ta::kPscid.get(ta()))); }
  /// Mode of iosatp, or of pdtp when has_process_directory().
  std::uint8_t fsc_mode() const { return static_cast<std::uint8_t>(dc_fsc::kMode.get(fsc())); }
  std::uint8_t msi_mode() const { return static_cast<std::uint8_t>(dc_msiptp::kMode.get(msiptp())); }
};

struct ProcessContext {
  std::array<std::uint64_t, 2> words{};

  std::uint64_t ta() const { return words[0]; }
  std::uint64_t fsc() const { return words[1]; }
  bool valid() const { return pc_ta::kV.is_set(ta()); }
  bool supervisor_allowed() const { return pc_ta::kEns.is_set(ta()); }
  bool sum() const { return pc_ta::kSum.is_set(ta()); }
  base::Pscid pscid() const { return base::Pscid(static_cast<std::uint32_t>(pc_ta::kPscid.get(ta()))); }
  std::uint8_t fsc_mode() const { return static_cast<std::uint8_t>(pc_fsc::kMode.get(fsc())); }
};

}  // namespace iommusim::spec
