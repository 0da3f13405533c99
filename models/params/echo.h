// SPDX-License-Identifier: Apache-2.0
// Writes a parameter group out in full: every field, resolved, in base units. The YAML form read back gives the same
// group bit by bit.
#pragma once

#include "params/describe.h"

namespace iommusim::params {

std::string fields_to_yaml(const std::vector<Field>& fields);
std::string fields_to_json(const std::vector<Field>& fields);

template <class T>
std::string to_yaml(const T& group) {
  T copy = group;
  return fields_to_yaml(fields_of(copy));
}

template <class T>
std::string to_json(const T& group) {
  T copy = group;
  return fields_to_json(fields_of(copy));
}

}  // namespace iommusim::params
