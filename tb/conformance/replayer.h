// SPDX-License-Identifier: Apache-2.0
// Replays conformance vectors (JSON Lines; the format is described in FORMAT.md of the vectors) against an IOMMU:
// performs each operation, compares each answer, and accounts for every byte and message of the IOMMU.
#pragma once

#include <string>
#include <vector>

#include "conformance/subject.h"

namespace iommusim::conformance {

struct Mismatch {
  std::string file;
  std::uint32_t line = 0;            ///< of the expectation
  std::uint32_t operation_line = 0;  ///< of the operation that it is about
  std::string what;                  ///< the value that is compared
  std::string expected, found;

  std::string place() const { return file + ":" + std::to_string(line); }
};

struct SectionResult {
  std::string name;
  std::uint32_t first_line = 0, last_line = 0;
  std::vector<Mismatch> mismatches;
  std::size_t operations = 0;
  std::string skipped;  ///< the parameter that the model cannot take on; empty: the section was replayed
};

struct FileResult {
  std::string file;
  std::vector<SectionResult> sections;
};

/// `most_mismatches`: a section stops after as many. Throws base::InputError with file:line for what is no vector.
FileResult replay(const std::string& file, const SubjectMaker& maker, std::size_t most_mismatches = 1000);

/// All *.jsonl of a directory and of those below it, sorted by path.
std::vector<std::string> vector_files(const std::string& directory);

}  // namespace iommusim::conformance
