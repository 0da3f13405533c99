// SPDX-License-Identifier: Apache-2.0
#include "conformance/expected_failures.h"

#include <filesystem>
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
    const std::string place = text.substr(0, end);
    const std::size_t colon = place.rfind(':');
    if (end == std::string::npos || place.find(".jsonl:") == std::string::npos || colon + 1 == place.size() ||
        place.size() - colon > 9 || place.find_first_not_of("0123456789", colon + 1) != std::string::npos)
      throw base::InputError({file, line, 0}, "expected 'folder/file.jsonl:line reason'");
    if (!places.insert(place).second) throw base::InputError({file, line, 0}, "this place is listed twice");
  }
  return places;
}

std::string name_in_list(const std::string& file) {
  const auto path = std::filesystem::absolute(file).lexically_normal();
  return (path.parent_path().filename() / path.filename()).string();
}

}  // namespace iommusim::conformance
