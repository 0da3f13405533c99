// SPDX-License-Identifier: Apache-2.0
// Conformance vectors on both engines, the functional one with caches too, the cycle engine with six
// micro-architectures: what fails is exactly what expected_failures.txt lists. The sample in vectors/ is always
// replayed; the whole set needs $IOMMUSIM_SHARED, or ../shared beside the repository.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "conformance/verdict.h"

namespace iommusim::conformance {

struct Configuration {
  const char* name;
  bool cycle;
  std::uint32_t entries;  ///< of every cache; kDefaultEntries: as it is
  std::uint32_t walkers;
  bool blocking;         ///< one request at a time, one miss at a time
  std::uint32_t jitter;  ///< random extra cycles of a memory access: answers overtake each other
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
  if (!configuration.cycle) {
    const std::uint32_t entries = configuration.entries;
    return functional_subjects({{entries, entries, entries}});
  }
  CycleParams params;
  if (configuration.entries != kDefaultEntries) set_entries(params::fields_of(params), configuration.entries);
  params.memory_jitter = configuration.jitter;
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

 private:
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
  EXPECT_TRUE(totals.good()) << totals.text();
  EXPECT_EQ(totals.files[0] + totals.files[1], 59U) << totals.text();
}

TEST_P(Vectors, AllFailWhereTheyContradictTheSpecificationOnly) {
  const char* shared = std::getenv("IOMMUSIM_SHARED");
  const std::string folder =
      (shared != nullptr ? std::string(shared) : std::string(IOMMUSIM_SOURCE_DIR "/../shared")) + "/vectors/";
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << "no vectors in " << folder;
  const Totals totals = replay_all(folder);
  EXPECT_TRUE(totals.good()) << totals.text();
  EXPECT_EQ(totals.sections[0] + totals.sections[1], 520U) << totals.text();
}

INSTANTIATE_TEST_SUITE_P(Engines, Vectors,
                         testing::Values(Configuration{"functional", false, 0, 0, false, 0},
                                         Configuration{"functional_cached", false, 64, 0, false, 0},
                                         Configuration{"cycle_without_caches", true, 0, 1, true, 0},
                                         Configuration{"cycle_one_entry", true, 1, 16, false, 0},
                                         Configuration{"cycle_one_entry_blocking", true, 1, 1, true, 0},
                                         Configuration{"cycle_tiny", true, 2, 1, false, 50},
                                         Configuration{"cycle_default", true, kDefaultEntries, 4, false, 0},
                                         Configuration{"cycle_huge", true, 1024, 16, false, 50}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace iommusim::conformance
