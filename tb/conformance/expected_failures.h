// SPDX-License-Identifier: Apache-2.0
// The list of places at which vectors contradict the specification. Only these may fail, and each of them must.
#pragma once

#include <set>
#include <string>

#include "conformance/replayer.h"

namespace iommusim::conformance {

/// Lines "folder/file.jsonl:line clause and reason"; # begins a comment. Throws base::InputError with file:line.
std::set<std::string> read_expected_failures(const std::string& file);

/// "folder/file.jsonl:line" of a mismatch, as the list names it.
std::string place_in_list(const Mismatch& mismatch);

}  // namespace iommusim::conformance
