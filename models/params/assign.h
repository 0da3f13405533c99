// SPDX-License-Identifier: Apache-2.0
// Puts a user's tree into a parameter group, strictly: an unknown key, a wrong type or unit, a value out of range stops
// with base::InputError that says where, what, and what was expected. What the tree does not mention keeps its value.
#pragma once

#include "params/describe.h"
#include "params/tree.h"

namespace iommusim::params {

/// `path` is the name of the whole group in messages; empty for the root.
void assign_fields(const std::vector<Field>& fields, const Tree& tree, const std::string& path);

template <class T>
void assign(T& out, const Tree& tree) {
  assign_fields(fields_of(out), tree, "");
}

}  // namespace iommusim::params
