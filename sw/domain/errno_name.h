// SPDX-License-Identifier: Apache-2.0
// Names of errno numbers for logs and test messages.
#pragma once

#include <cstring>
#include <string>

namespace iommusim::domain {

/// "EINVAL" for 22; "0" for success; the number itself when it has no name.
inline std::string errno_name(int error) {
  if (error == 0) return "0";
  const char* name = strerrorname_np(error);
  return name ? name : std::to_string(error);
}

}  // namespace iommusim::domain
