// SPDX-License-Identifier: Apache-2.0
// The list of places at which vectors contradict the specification. Only these may fail, and each of them must.
#pragma once

#include <set>
#include <string>

#include "conformance/replayer.h"

namespace iommusim::conformance {

/// Lines "folder/file.jsonl:line clause and reason"; # begins a comment. Throws base::InputError with file:line.
std::set<std::string> read_expected_failures(const std::string& file);

/// "folder/file.jsonl", as the list names a file, wherever the folder lies.
std::string name_in_list(const std::string& file);

}  // namespace iommusim::conformance
