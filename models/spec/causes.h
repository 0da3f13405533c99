// SPDX-License-Identifier: Apache-2.0
// Fault causes in C++, derived from causes.def.
#pragma once

#include <cstdint>

namespace iommusim::spec {

enum class Cause : std::uint16_t {
  kNone = 0,
#define IOMMU_CAUSE(Name, number, reported_with_dtf, ats_answer, text) k##Name = number,
#include "spec/causes.def"
};

/// How a faulting ATS translation request is answered (IOMMU 2.6).
enum class AtsAnswer : std::uint8_t { kCompleterAbort, kUnsupportedRequest, kNoPermission };

struct CauseInfo {
  Cause cause;
  const char* name;
  bool reported_with_dtf;  ///< IOMMU 3.2: DC.tc.DTF = 1 does not suppress the record
  AtsAnswer ats_answer;
  const char* text;
};
inline constexpr CauseInfo kCauses[] = {
#define IOMMU_CAUSE(Name, number, reported_with_dtf, ats_answer, text) \
  {Cause::k##Name, #Name, reported_with_dtf, AtsAnswer::ats_answer, text},
#include "spec/causes.def"
};

/// The row of a cause, or nullptr.
constexpr const CauseInfo* find_cause(Cause cause) {
  for (const CauseInfo& row : kCauses)
    if (row.cause == cause) return &row;
  return nullptr;
}

}  // namespace iommusim::spec
