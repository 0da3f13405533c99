// SPDX-License-Identifier: Apache-2.0
// A choice among implementations by name: an explicit table of name, help text and value (an enumerator or a maker).
// The table is the only list; parsing, error messages, help and documents read it. No self-registration.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/nearest.h"

namespace iommusim::base {

template <class Value>
struct Choice {
  const char* name;
  const char* help;
  Value value;
};

/// The row of that name, or nullptr.
template <class Value, std::size_t N>
const Choice<Value>* find_choice(const Choice<Value> (&table)[N], std::string_view name) {
  for (const auto& row : table)
    if (name == row.name) return &row;
  return nullptr;
}

/// All names, in table order.
template <class Value, std::size_t N>
std::vector<std::string> choice_names(const Choice<Value> (&table)[N]) {
  std::vector<std::string> names;
  for (const auto& row : table) names.emplace_back(row.name);
  return names;
}

}  // namespace iommusim::base
