// SPDX-License-Identifier: Apache-2.0
// Replays conformance vectors (JSON Lines; the format is described in FORMAT.md of the vectors) against the functional
// engine: performs each operation, compares each answer, and accounts for every byte and message of the IOMMU.
#pragma once

#include <string>
#include <vector>

namespace iommusim::conformance {

struct Mismatch {
  std::string place;  ///< file:line
  std::string text;   ///< what was expected, what was found
};

struct SectionResult {
  std::string name;
  std::vector<Mismatch> mismatches;
  std::size_t operations = 0;
};

struct FileResult {
  std::string file;
  std::vector<SectionResult> sections;
  bool passed() const;
};

/// `most_mismatches`: a section stops after as many. Throws base::InputError with file:line for what is no vector.
FileResult replay(const std::string& file, std::size_t most_mismatches = 1000);

/// All *.jsonl of a directory, sorted by name.
std::vector<std::string> vector_files(const std::string& directory);

}  // namespace iommusim::conformance
