// SPDX-License-Identifier: Apache-2.0
#include "platform/software_stats.h"

#include <algorithm>
#include <cctype>

#include "uapi/ioctls.h"

namespace iommusim::platform {

namespace {

/// "IoasMap" -> "ioas_map".
std::string snake_case_of(const std::string& name) {
  std::string out;
  for (const char c : name) {
    if (std::isupper(static_cast<unsigned char>(c)) != 0 && !out.empty()) out += '_';
    out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

}  // namespace

SoftwareStats::SoftwareStats(stats::Group& parent, const std::string& name) : stats::Group(parent, name) {
  for (const uapi::IoctlRow& row : uapi::kIommuIoctls)
    by_command_[row.command] = &ioctls_.emplace_back(*this, snake_case_of(row.name));
}

}  // namespace iommusim::platform
