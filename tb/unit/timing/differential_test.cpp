// SPDX-License-Identifier: Apache-2.0
// Law: whatever the micro-architecture, the cycle engine gives the answers, fault records and A/D bits of the
// functional engine, in any environment, when commands come between quiet phases. The run must have met every cause
// that an IOMMU with default capabilities can report, every command and every page size at least 20 times.
// IOMMUSIM_DIFFERENTIAL_CASES says how many cases; IOMMUSIM_DIFFERENTIAL_SEED repeats a run.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>

#include "twins.h"

namespace iommusim::timing::test {
namespace {

constexpr unsigned kPhases = 10;
constexpr unsigned kRequestsAPhase = 10;
constexpr std::uint64_t kMessageAddress = 0x7000;
constexpr std::uint64_t kFenceAddress = 0x7008;

/// How often each thing was met, by name.
using Coverage = std::map<std::string, unsigned>;

Command random_fence(Choices& choices) {
  using namespace spec;
  Command command{opcode::kIofence, 0};
  if (choices.flag()) command.word0 |= iofence_w0::kPr.mask();
  if (choices.flag()) command.word0 |= iofence_w0::kPw.mask();
  if (!choices.flag()) return command;
  return {command.word0 | iofence_w0::kAv.mask() | iofence_w0::kData.of(choices.byte()), kFenceAddress >> 2};
}

/// A command that nothing needs.
Command random_command(Choices& choices) {
  using namespace spec;
  const std::uint64_t device = iodir_w0::kDv.mask() | iodir_w0::kDid.of(choices.below(200));
  switch (choices.below(4)) {
    case 0:
      return {opcode::kIodir | iodir_w0::kFunc3.of(iodir_func3::kInvalPdt) | device, 0};
    case 1:
      return {opcode::kIodir | (choices.flag() ? device : 0), 0};
    case 2:
      return {opcode::kIotinval | iotinval_w0::kAv.mask() | iotinval_w0::kGv.mask() |
                  iotinval_w0::kFunc3.of(choices.below(2)) | iotinval_w0::kGscid.of(choices.below(6)),
              iotinval_w1::kAddr.of(0x10000U + choices.below(30))};
    default:
      return random_fence(choices);
  }
}

void execute(Twins& twins, const Command& command, Coverage& coverage) {
  twins.command(command);
  ++coverage["command " + std::to_string(spec::command::kOpcode.get(command.word0)) + "." +
             std::to_string(spec::command::kFunc3.get(command.word0))];
}

void run_phase(Choices& choices, Environment& environment, Twins& twins, Coverage& coverage) {
  std::vector<translate::Request> requests;
  for (unsigned i = 0; i < kRequestsAPhase; ++i) {
    requests.push_back(environment.request());
    if (choices.one_in(4)) requests.push_back(requests.back());
  }
  for (const translate::Outcome& outcome : twins.translate(requests)) {
    if (outcome.kind == translate::Outcome::Kind::kTranslated && !outcome.bypass)
      ++coverage["size " + std::to_string(outcome.size_log2)];
  }
  for (const Twins::Record& record : twins.records()) ++coverage["cause " + std::to_string(std::get<0>(record))];
}

/// The directory off for a phase, or interrupt messages that fail.
void upset(Choices& choices, Twins& twins, std::uint64_t ddtp) {
  const bool off = choices.one_in(12);
  twins.write_register(spec::kDdtpOffset, 8, off ? ddtp & ~0xfULL : ddtp);
  if (choices.one_in(5))
    twins.machine.memory.failing[kMessageAddress] = translate::MemoryStatus::kAccessFault;
  else
    twins.machine.memory.failing.erase(kMessageAddress);
}

void run_case(const std::vector<std::uint8_t>& bytes, Coverage& coverage) {
  Choices choices(bytes.data(), bytes.size());
  const unsigned levels = 1 + choices.below(3);
  const EngineParams params = random_engine(choices);
  Twins twins(params, random_driver(choices), levels);
  twins.write_register(spec::kIcvecOffset, 8, 1);  // the two queues have vectors of their own
  twins.write_register(spec::kMsiAddrOffset, 8, kMessageAddress);
  const std::uint64_t ddtp = twins.machine.read(spec::kDdtpOffset);
  Environment environment(choices, twins.machine, levels);
  twins.copy_memory();
  for (unsigned phase = 0; phase < kPhases; ++phase) {
    run_phase(choices, environment, twins, coverage);
    std::vector<Command> commands;
    for (unsigned i = 0; i < 2; ++i)
      for (const Command& command : environment.mutate()) commands.push_back(command);
    upset(choices, twins, ddtp);
    twins.copy_memory();
    for (const Command& command : commands) execute(twins, command, coverage);
    execute(twins, random_command(choices), coverage);
  }
}

unsigned number_from_environment(const char* name, unsigned otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

TEST(Differential, CycleEngineAnswersAsTheFunctionalEngine) {
  constexpr unsigned kBytes = 2500;
  Coverage coverage;
  rc::detail::TestParams params = rc::detail::configuration().testParams;
  params.maxSuccess = static_cast<int>(number_from_environment("IOMMUSIM_DIFFERENTIAL_CASES", 1000));
  params.seed = number_from_environment("IOMMUSIM_DIFFERENTIAL_SEED", static_cast<unsigned>(params.seed));
  params.disableShrinking = true;  // thousands of bytes shrink for minutes; the seed repeats the case
  const auto property = [&coverage] {
    const auto bytes = *rc::gen::resize(
        100, rc::gen::container<std::vector<std::uint8_t>>(kBytes, rc::gen::arbitrary<std::uint8_t>()));
    run_case(bytes, coverage);
  };
  const auto result = rc::detail::checkTestable(property, rc::detail::TestMetadata{}, params);
  std::ostringstream report;
  if (!result.is<rc::detail::SuccessResult>()) rc::detail::printResultMessage(result, report);
  ASSERT_TRUE(result.is<rc::detail::SuccessResult>()) << report.str() << "seed " << params.seed;

  std::vector<std::string> wanted;
  for (const unsigned cause : {1, 5, 7, 12, 13, 15, 20, 21, 23, 256, 257, 258, 259, 260, 268, 273, 274})
    wanted.push_back("cause " + std::to_string(cause));
  for (const unsigned size : {12, 16, 21, 30, 39, 48}) wanted.push_back("size " + std::to_string(size));
  for (const char* const command : {"1.0", "1.1", "2.0", "3.0", "3.1"})
    wanted.push_back(std::string("command ") + command);
  for (const std::string& name : wanted) {
    RecordProperty(name, static_cast<int>(coverage[name]));
    EXPECT_GE(coverage[name], 20U) << name;
  }
}

}  // namespace
}  // namespace iommusim::timing::test
