// SPDX-License-Identifier: Apache-2.0
#include "conformance/replayer.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "conformance/section.h"

namespace iommusim::conformance {

FileResult replay(const std::string& file, const SubjectMaker& maker, std::size_t most_mismatches) {
  std::ifstream in(file);
  if (!in || std::filesystem::is_directory(file)) throw base::InputError(file + ": cannot be read");
  FileResult result{file, {}};
  std::unique_ptr<Section> section;
  std::string text;
  for (std::uint32_t line = 1; std::getline(in, text); ++line) {
    try {
      const Operation operation = Operation::parse(text);
      if (operation.text("op") == "case") {
        if (section) result.sections.push_back(section->finish());
        section = std::make_unique<Section>(file, line, operation.text("name"), maker, most_mismatches);
        continue;
      }
      if (!section) throw base::InputError("expected op case");
      section->perform(operation, line);
    } catch (const base::InputError& error) {
      throw base::InputError({file, line, 0}, error.what());
    }
  }
  if (!section) throw base::InputError({file, 1, 0}, "expected op case, found an empty file");
  result.sections.push_back(section->finish());
  return result;
}

std::vector<std::string> vector_files(const std::string& directory) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
    if (entry.path().extension() == ".jsonl") files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace iommusim::conformance
