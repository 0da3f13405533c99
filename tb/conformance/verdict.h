// SPDX-License-Identifier: Apache-2.0
// What the replay of a file comes to, with the list of places that are expected to fail: a mismatch on the list is an
// expected failure, and a place on the list that passes is a failure. Every section and every file gets one verdict,
// the worst of what is in it.
#pragma once

#include <array>

#include "conformance/expected_failures.h"

namespace iommusim::conformance {

/// In the order of increasing weight for a file's verdict.
enum class Verdict : std::uint8_t { kPassed, kExpectedFailure, kSkipped, kFailed };
constexpr std::size_t kVerdicts = 4;
const char* verdict_name(Verdict verdict);

struct SectionVerdict {
  Verdict verdict = Verdict::kPassed;
  std::vector<std::string> unexpected_passes;  ///< places on the list, as it names them
};

struct FileVerdict {
  FileResult result;
  Verdict verdict = Verdict::kPassed;
  std::vector<SectionVerdict> sections;  ///< as result.sections
};

FileVerdict judge(FileResult result, const std::set<std::string>& expected);

/// Counts by verdict.
struct Totals {
  std::array<std::size_t, kVerdicts> files{}, sections{};
  void add(const FileVerdict& verdict);
  /// Nothing failed and nothing was skipped.
  bool good() const;
  /// "N passed, M failed, E expected failures, K skipped (sections: ...)", in files with the sections in brackets.
  std::string text() const;
};

}  // namespace iommusim::conformance
