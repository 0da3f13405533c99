// SPDX-License-Identifier: Apache-2.0
// "Did you mean": the known name that is closest to a mistyped one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace iommusim::base {

/// Number of single-character insertions, deletions and substitutions from `a` to `b`.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The name with the smallest edit distance (the first of equals); empty when `names` is.
std::string nearest_name(std::string_view typed, const std::vector<std::string>& names);

}  // namespace iommusim::base
