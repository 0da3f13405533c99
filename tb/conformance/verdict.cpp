// SPDX-License-Identifier: Apache-2.0
#include "conformance/verdict.h"

#include <algorithm>

namespace iommusim::conformance {

const char* verdict_name(Verdict verdict) {
  static constexpr const char* kNames[kVerdicts] = {"passed", "expected failure", "skipped", "failed"};
  return kNames[static_cast<std::size_t>(verdict)];
}

namespace {

SectionVerdict judge_section(const SectionResult& section, const std::string& file,
                             const std::set<std::string>& expected) {
  if (!section.skipped.empty()) return {Verdict::kSkipped, {}};
  SectionVerdict verdict;
  std::set<std::uint32_t> met;
  const std::string name = name_in_list(file) + ":";
  for (const Mismatch& mismatch : section.mismatches) {
    const bool listed = expected.count(name + std::to_string(mismatch.line)) != 0;
    verdict.verdict = std::max(verdict.verdict, listed ? Verdict::kExpectedFailure : Verdict::kFailed);
    met.insert(mismatch.line);
  }
  for (const std::string& place : expected) {
    if (place.compare(0, name.size(), name) != 0) continue;
    const auto line = static_cast<std::uint32_t>(std::stoul(place.substr(name.size())));
    if (line >= section.first_line && line <= section.last_line && !met.count(line))
      verdict.unexpected_passes.push_back(place);
  }
  if (!verdict.unexpected_passes.empty()) verdict.verdict = Verdict::kFailed;
  return verdict;
}

std::string text_of(const std::array<std::size_t, kVerdicts>& counts) {
  const auto count = [&counts](Verdict verdict) { return std::to_string(counts[static_cast<std::size_t>(verdict)]); };
  return count(Verdict::kPassed) + " passed, " + count(Verdict::kFailed) + " failed, " +
         count(Verdict::kExpectedFailure) + " expected failures, " + count(Verdict::kSkipped) + " skipped";
}

}  // namespace

FileVerdict judge(FileResult result, const std::set<std::string>& expected) {
  FileVerdict verdict;
  for (const SectionResult& section : result.sections) {
    verdict.sections.push_back(judge_section(section, result.file, expected));
    verdict.verdict = std::max(verdict.verdict, verdict.sections.back().verdict);
  }
  verdict.result = std::move(result);
  return verdict;
}

void Totals::add(const FileVerdict& verdict) {
  ++files[static_cast<std::size_t>(verdict.verdict)];
  for (const SectionVerdict& section : verdict.sections) ++sections[static_cast<std::size_t>(section.verdict)];
}

bool Totals::good() const {
  return files[static_cast<std::size_t>(Verdict::kFailed)] == 0 &&
         files[static_cast<std::size_t>(Verdict::kSkipped)] == 0;
}

std::string Totals::text() const { return text_of(files) + " (sections: " + text_of(sections) + ")"; }

}  // namespace iommusim::conformance
