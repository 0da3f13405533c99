// SPDX-License-Identifier: Apache-2.0
#include "conformance/expected_failures.h"

#include <fstream>

#include "base/error.h"

namespace iommusim::conformance {

std::set<std::string> read_expected_failures(const std::string& file) {
  std::ifstream in(file);
  if (!in) throw base::InputError(file + ": cannot be read");
  std::set<std::string> places;
  std::string text;
  for (std::uint32_t line = 1; std::getline(in, text); ++line) {
    if (text.empty() || text[0] == '#') continue;
    const std::size_t end = text.find(' ');
    if (end == std::string::npos || text.find(".jsonl:") == std::string::npos)
      throw base::InputError({file, line, 0}, "expected 'folder/file.jsonl:line reason'");
    if (!places.insert(text.substr(0, end)).second)
      throw base::InputError({file, line, 0}, "this place is listed twice");
  }
  return places;
}

std::string place_in_list(const Mismatch& mismatch) {
  std::size_t start = mismatch.place.rfind('/');
  if (start != std::string::npos && start != 0) start = mismatch.place.rfind('/', start - 1);
  return start == std::string::npos ? mismatch.place : mismatch.place.substr(start + 1);
}

}  // namespace iommusim::conformance
