// SPDX-License-Identifier: Apache-2.0
// Conformance vectors on both engines, the cycle engine with five micro-architectures: what fails is exactly what
// expected_failures.txt lists. The sample in vectors/ is always replayed; the whole set needs $IOMMUSIM_SHARED, or
// ../shared beside the repository.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "conformance/verdict.h"
#include "timing/engine.h"

namespace iommusim::conformance {

struct Configuration {
  const char* name;
  bool cycle;
  std::uint32_t entries;  ///< of every cache; kDefaultEntries: as it is
  std::uint32_t walkers;
  bool blocking;  ///< one request at a time, one miss at a time
};
void PrintTo(const Configuration& configuration, std::ostream* out) { *out << configuration.name; }
constexpr std::uint32_t kDefaultEntries = ~0U;

void set_entries(const std::vector<params::Field>& fields, std::uint32_t entries) {
  for (const params::Field& field : fields) {
    if (const auto* group = std::get_if<params::GroupSlot>(&field.slot)) set_entries(group->fields, entries);
    if (field.name == std::string("entries")) *std::get<std::uint32_t*>(field.slot) = entries;
  }
}

std::unique_ptr<SubjectMaker> subjects_of(const Configuration& configuration) {
  if (!configuration.cycle) return functional_subjects();
  CycleParams params;
  if (configuration.entries != kDefaultEntries) set_entries(params::fields_of(params), configuration.entries);
  params.engine.walkers.count = configuration.walkers;
  if (configuration.blocking) {
    params.engine.slots = 1;
    params.engine.miss_table.depth = 1;
  }
  return cycle_subjects(params);
}

class Vectors : public testing::TestWithParam<Configuration> {
 protected:
  Totals replay_all(const std::string& folder) {
    const auto subjects = subjects_of(GetParam());
    const auto expected = read_expected_failures(IOMMUSIM_SOURCE_DIR "/tb/conformance/expected_failures.txt");
    Totals totals;
    for (const char* part : {"suite", "random"})
      for (const std::string& file : vector_files(folder + part)) {
        const FileVerdict verdict = judge(replay(file, *subjects), expected);
        totals.add(verdict);
        if (verdict.verdict == Verdict::kFailed) show(verdict);
      }
    return totals;
  }
  void SetUp() override {
    if (GetParam().cycle) may_skip_ = timing::Engine::unsupported(everything()) != nullptr;
  }
  bool may_skip_ = false;

 private:
  static spec::Implementation everything() {
    spec::Implementation implementation;
    implementation.ats = implementation.hpm = implementation.dbg = true;
    return implementation;
  }
  static void show(const FileVerdict& verdict) {
    for (std::size_t i = 0; i < verdict.sections.size(); ++i) {
      if (verdict.sections[i].verdict != Verdict::kFailed) continue;
      for (const std::string& place : verdict.sections[i].unexpected_passes) ADD_FAILURE() << place << " passes";
      for (const Mismatch& mismatch : verdict.result.sections[i].mismatches)
        ADD_FAILURE() << mismatch.place() << ": " << mismatch.what << "\n- " << mismatch.expected << "\n+ "
                      << mismatch.found;
    }
  }
};

TEST_P(Vectors, SampleFailsWhereItContradictsTheSpecificationOnly) {
  const Totals totals = replay_all(IOMMUSIM_SOURCE_DIR "/vectors/");
  EXPECT_GE(totals.files[0], may_skip_ ? 1U : 40U) << totals.text();
  EXPECT_TRUE(totals.good() || may_skip_) << totals.text();
}

TEST_P(Vectors, AllFailWhereTheyContradictTheSpecificationOnly) {
  const char* shared = std::getenv("IOMMUSIM_SHARED");
  const std::string folder =
      (shared != nullptr ? std::string(shared) : std::string(IOMMUSIM_SOURCE_DIR "/../shared")) + "/vectors/";
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << "no vectors in " << folder;
  const Totals totals = replay_all(folder);
  EXPECT_EQ(totals.sections[0] + totals.sections[1] + totals.sections[2] + totals.sections[3], 520U);
  EXPECT_TRUE(totals.good() || may_skip_) << totals.text();
}

INSTANTIATE_TEST_SUITE_P(Engines, Vectors,
                         testing::Values(Configuration{"functional", false, 0, 0, false},
                                         Configuration{"cycle_without_caches", true, 0, 1, true},
                                         Configuration{"cycle_one_entry", true, 1, 16, false},
                                         Configuration{"cycle_tiny", true, 2, 1, false},
                                         Configuration{"cycle_default", true, kDefaultEntries, 4, false},
                                         Configuration{"cycle_huge", true, 4096, 16, false}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace iommusim::conformance
