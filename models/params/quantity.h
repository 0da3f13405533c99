// SPDX-License-Identifier: Apache-2.0
// Numbers as users write them: bare (decimal, with a fraction or exponent if the result is whole; hexadecimal with 0x),
// or with a suffix of the parameter's unit ("4KiB", "1.5 us", "2GHz"). Conversion is exact: what does not come out as a
// whole number of the base unit is refused, never rounded.
#pragma once

#include <string>
#include <string_view>

#include "base/unit.h"

namespace iommusim::params {

/// The value in base units, or what is wrong with the text (empty: nothing).
struct IntegerQuantity {
  __int128 value = 0;
  std::string error;
};
IntegerQuantity parse_integer(std::string_view text, base::Unit unit);

struct RealQuantity {
  double value = 0;
  std::string error;
};
RealQuantity parse_real(std::string_view text, base::Unit unit);

std::string to_string(__int128 value);
/// The shortest decimal that reads back as the same double.
std::string to_string(double value);

/// Suffixes of a unit in words: "ns, us, ms or s"; empty when it has none.
std::string accepted_suffixes(base::Unit unit);
/// The same as alternatives of a regular expression, escaped.
std::string suffix_pattern(base::Unit unit);

}  // namespace iommusim::params
