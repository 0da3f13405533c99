// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "commands.h"
#include "conformance/verdict.h"
#include "params/assign.h"

namespace iommusim::program {

namespace {

using conformance::FileVerdict;

std::vector<std::string> files_of(const std::vector<std::string>& inputs) {
  std::vector<std::string> files;
  for (const std::string& input : inputs) {
    if (!std::filesystem::is_directory(input)) {
      files.push_back(input);
      continue;
    }
    const std::vector<std::string> found = conformance::vector_files(input);
    if (found.empty()) throw base::InputError(input + ": expected files *.jsonl in this directory, found none");
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

std::unique_ptr<conformance::SubjectMaker> subjects_of(const ConformOptions& options) {
  params::Tree tree;
  for (const std::string& set : options.sets) params::apply_set(tree, set);
  if (options.engine == "functional") {
    conformance::FunctionalParams params;
    params::assign(params, tree);
    return conformance::functional_subjects(params);
  }
  conformance::CycleParams params;
  params::assign(params, tree);
  return conformance::cycle_subjects(params);
}

void print_verdict(const FileVerdict& verdict) {
  std::printf("%s: %s (sections: %zu)\n", verdict.result.file.c_str(), conformance::verdict_name(verdict.verdict),
              verdict.sections.size());
  for (std::size_t i = 0; i < verdict.sections.size(); ++i) {
    const conformance::SectionResult& section = verdict.result.sections[i];
    if (!section.skipped.empty())
      std::printf("  %s:%u: section '%s' skipped: the model has no %s\n", verdict.result.file.c_str(),
                  section.first_line, section.name.c_str(), section.skipped.c_str());
    for (const std::string& place : verdict.sections[i].unexpected_passes)
      std::printf("  %s passes: take it off the list of expected failures\n", place.c_str());
    if (verdict.sections[i].verdict != conformance::Verdict::kFailed) continue;
    for (const conformance::Mismatch& mismatch : section.mismatches) {
      std::printf("  %s: %s", mismatch.place().c_str(), mismatch.what.c_str());
      if (mismatch.operation_line != mismatch.line)
        std::printf(", of the operation in line %u", mismatch.operation_line);
      std::printf(" (section '%s')\n    - expected %s\n    + found    %s\n", section.name.c_str(),
                  mismatch.expected.c_str(), mismatch.found.c_str());
    }
  }
}

using Json = nlohmann::ordered_json;

Json json_of(const conformance::Mismatch& mismatch) {
  return {{"file", mismatch.file}, {"line", mismatch.line},         {"operation_line", mismatch.operation_line},
          {"what", mismatch.what}, {"expected", mismatch.expected}, {"found", mismatch.found}};
}

Json json_of(const FileVerdict& verdict) {
  Json sections = Json::array();
  for (std::size_t i = 0; i < verdict.sections.size(); ++i) {
    const conformance::SectionResult& section = verdict.result.sections[i];
    Json mismatches = Json::array();
    for (const conformance::Mismatch& mismatch : section.mismatches) mismatches.push_back(json_of(mismatch));
    Json row = {{"name", section.name},
                {"verdict", conformance::verdict_name(verdict.sections[i].verdict)},
                {"operations", section.operations},
                {"mismatches", mismatches},
                {"unexpected_passes", verdict.sections[i].unexpected_passes}};
    if (!section.skipped.empty()) row["beyond_the_model"] = section.skipped;
    sections.push_back(row);
  }
  return {
      {"file", verdict.result.file}, {"verdict", conformance::verdict_name(verdict.verdict)}, {"sections", sections}};
}

Json json_of(const std::array<std::size_t, conformance::kVerdicts>& counts) {
  Json object;
  for (std::size_t i = 0; i < conformance::kVerdicts; ++i)
    object[conformance::verdict_name(static_cast<conformance::Verdict>(i))] = counts[i];
  return object;
}

}  // namespace

int conform(const ConformOptions& options) {
  const auto subjects = subjects_of(options);
  std::set<std::string> expected;
  for (const std::string& list : options.expected_failures) expected.merge(conformance::read_expected_failures(list));
  conformance::Totals totals;
  Json files = Json::array();
  for (const std::string& file : files_of(options.inputs)) {
    const FileVerdict verdict = conformance::judge(conformance::replay(file, *subjects), expected);
    totals.add(verdict);
    if (options.json)
      files.push_back(json_of(verdict));
    else
      print_verdict(verdict);
  }
  if (options.json)
    std::printf("%s\n", Json{{"engine", options.engine},
                             {"files", files},
                             {"totals", {{"files", json_of(totals.files)}, {"sections", json_of(totals.sections)}}}}
                            .dump(1)
                            .c_str());
  else
    std::printf("%s\n", totals.text().c_str());
  return totals.good() ? 0 : 1;
}

}  // namespace iommusim::program
