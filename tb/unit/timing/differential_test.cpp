// SPDX-License-Identifier: Apache-2.0
// Law: whatever the micro-architecture, the cycle engine gives the answers, fault records, messages, registers and A/D
// bits of the functional engine without caches, in any environment of any implementation, when commands come between
// quiet phases; and so does the functional engine with caches. The
// run must have met every cause that the IOMMU can report, every command and every page size at least 20 times.
// IOMMUSIM_DIFFERENTIAL_CASES says how many cases; IOMMUSIM_DIFFERENTIAL_SEED repeats a run.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>

#include "base/random.h"
#include "differential_case.h"

namespace iommusim::timing::test {
namespace {

/// All of models/spec/causes.def but five. 4 and 6: no access is misaligned, an address names bytes. 264 and 271: the
/// IO bridge stores into a memory-resident interrupt file, the IOMMU tells it where. 272: there is no internal data
/// path that could fail.
constexpr unsigned kCauses[] = {1,   5,   7,   12,  13,  15,  20,  21,  23,  256, 257, 258, 259, 260,
                                261, 262, 263, 264, 265, 266, 267, 268, 269, 270, 271, 273, 274};
/// 4 KiB, 64 KiB (Svnapot), 2 MiB, 4 MiB (Sv32), 1 GiB, 512 GiB, 256 TiB.
constexpr unsigned kSizes[] = {12, 16, 21, 22, 30, 39, 48};
constexpr const char* kOthers[] = {"command 1.0",
                                   "command 1.1",
                                   "command 2.0",
                                   "command 3.0",
                                   "command 3.1",
                                   "command 4.0",
                                   "command 4.1",
                                   "command illegal",
                                   "command memory fault",
                                   "command time-out",
                                   "fault queue memory fault",
                                   "page-request queue memory fault",
                                   "page-request queue overflow",
                                   "page response 0",
                                   "page response 1",
                                   "page response 15",
                                   "msi basic",
                                   "msi mrif",
                                   "msi stored",
                                   "ats request",
                                   "ats request without permission",
                                   "translated request with t2gpa",
                                   "process",
                                   "debug"};

unsigned number_from_environment(const char* name, unsigned otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

using Against = DifferentialCase::Against;

void run_case(std::uint64_t seed, Against against, Coverage& coverage) {
  constexpr unsigned kBytes = 8000;
  base::Random random(seed);
  std::vector<std::uint8_t> bytes(kBytes);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.next());
  Choices choices(bytes.data(), bytes.size());
  DifferentialCase(choices, coverage, against).run();
}

void check_law(Against against) {
  Coverage coverage;
  rc::detail::TestParams params = rc::detail::configuration().testParams;
  params.maxSuccess = static_cast<int>(number_from_environment("IOMMUSIM_DIFFERENTIAL_CASES", 1000));
  params.seed = number_from_environment("IOMMUSIM_DIFFERENTIAL_SEED", static_cast<unsigned>(params.seed));
  params.disableShrinking = true;  // a case has thousands of decisions; its number below repeats it
  const auto property = [&coverage, against] {
    const auto seed = *rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>());
    try {
      run_case(seed, against, coverage);
    } catch (const std::exception& error) {
      RC_FAIL(std::string(error.what()) + "\ncase " + std::to_string(seed));
    }
  };
  const auto result = rc::detail::checkTestable(property, rc::detail::TestMetadata{}, params);
  std::ostringstream report;
  if (!result.is<rc::detail::SuccessResult>()) rc::detail::printResultMessage(result, report);
  ASSERT_TRUE(result.is<rc::detail::SuccessResult>()) << report.str() << "seed " << params.seed;

  std::vector<std::string> wanted(std::begin(kOthers), std::end(kOthers));
  for (const unsigned cause : kCauses) wanted.push_back("cause " + std::to_string(cause));
  for (const unsigned size : kSizes) wanted.push_back("size " + std::to_string(size));
  for (const std::string& name : wanted) EXPECT_GE(coverage[name], 20U) << name;
  if (std::getenv("IOMMUSIM_DIFFERENTIAL_REPORT") == nullptr) return;
  for (const auto& [name, number] : coverage) std::printf("%-36s %u\n", name.c_str(), number);
}

TEST(Differential, CycleEngineAnswersAsTheFunctionalEngine) { check_law(Against::kCycleEngine); }
TEST(Differential, CachesDoNotShow) { check_law(Against::kCaches); }

/// IOMMUSIM_DIFFERENTIAL_CASE repeats the case that a failure of the law names.
TEST(Differential, OneCase) {
  const char* const text = std::getenv("IOMMUSIM_DIFFERENTIAL_CASE");
  Coverage coverage;
  for (const Against against : {Against::kCycleEngine, Against::kCaches})
    run_case(text == nullptr ? 1 : std::strtoull(text, nullptr, 10), against, coverage);
  EXPECT_GE(coverage["requests"], 100U);
}

}  // namespace
}  // namespace iommusim::timing::test
