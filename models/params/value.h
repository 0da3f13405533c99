// SPDX-License-Identifier: Apache-2.0
// Questions about one parameter that assignment, echo and documents share.
#pragma once

#include <string>

#include "params/field.h"

namespace iommusim::params {

/// The declared range, cut to what the field's own type can hold.
Range effective_range(const Field& field);
/// "1..64"; empty for what is not a number.
std::string range_text(const Field& field);
/// bool, u32, u64, i64, real, string, choice, group, map, or "list of ...".
std::string type_name(const Field& field);
bool is_number(const Field& field);  ///< or a list of numbers
bool is_real(const Field& field);    ///< or a list of reals
/// Name of the enumerator that a choice holds now; a value outside its table is a contradiction.
const char* chosen_name(const ChoiceSlot& slot);
/// Name of a group in a map: letters, digits, '_' and '-', a letter or digit first; so that paths can be split at dots.
bool is_name(const std::string& text);
/// As a YAML (and JSON) string in double quotes.
std::string quote(const std::string& text);
std::string join_path(const std::string& path, const std::string& name);

}  // namespace iommusim::params
