// SPDX-License-Identifier: Apache-2.0
// Units of parameters and statistics. The unit says what the integer counts; the suffixes a user may type are in
// params/quantity.h.
#pragma once

namespace iommusim::base {

enum class Unit {
  kCount,
  kCycle,
  kPs,
  kNs,
  kUs,
  kBytes,
  kBits,
  kMhz,
  kGbps,            ///< 10^9 bits a second
  kBytesPerSecond,  ///< bytes a second
  kPercent,
  kRatio,
};

/// The short name used in reports: "count", "cycle", "ns", "bytes", "MHz", ...
constexpr const char* unit_name(Unit unit) {
  switch (unit) {
    case Unit::kCount:
      return "count";
    case Unit::kCycle:
      return "cycle";
    case Unit::kPs:
      return "ps";
    case Unit::kNs:
      return "ns";
    case Unit::kUs:
      return "us";
    case Unit::kBytes:
      return "bytes";
    case Unit::kBits:
      return "bits";
    case Unit::kMhz:
      return "MHz";
    case Unit::kGbps:
      return "Gbps";
    case Unit::kBytesPerSecond:
      return "B/s";
    case Unit::kPercent:
      return "percent";
    case Unit::kRatio:
      return "ratio";
  }
  return "?";
}

}  // namespace iommusim::base
