// SPDX-License-Identifier: Apache-2.0
#include "validation/serial_bench.h"

#include "base/error.h"

namespace iommusim::validation {
namespace {

namespace flags = translate::test::flags;
using translate::test::AddressSpace;
using translate::test::Machine;

constexpr std::uint32_t kDevice = 5;
constexpr std::uint32_t kProcess = 3;
constexpr unsigned kGscid = 1, kPscid = 2;
constexpr std::uint64_t kIova = 0x40000000;
constexpr std::uint64_t kGuestAddress = 0x80000000;
constexpr unsigned kSv39 = 8;
constexpr base::Cycle kApart = 100;  ///< requests are measured alone

}  // namespace

SerialBench::SerialBench(const timing::EngineParams& params, const spec::Implementation& implementation,
                         std::uint64_t latency, unsigned directory_levels)
    : params_(params),
      tables_(implementation, directory_levels),
      engine_(params, implementation, 1, root_),
      driver_(engine_, *this, {latency, 0, 0, 1}) {
  const auto write = [this](std::uint32_t offset, unsigned bytes, std::uint64_t value) {
    driver_.write_register(offset, bytes, value);
    driver_.run_until_idle();
  };
  write(spec::kCqbOffset, 8, tables_.command_address(0) >> 2 | 7);
  write(spec::kFqbOffset, 8, tables_.fault_address(0) >> 2 | 6);
  write(spec::kCqcsrOffset, 4, spec::cqcsr::kCqen.mask());
  write(spec::kFqcsrOffset, 4, spec::fqcsr::kFqen.mask());
  write(spec::kDdtpOffset, 8, tables_.ddt_root >> 2 | (directory_levels + 1));
}

translate::MemoryAnswer SerialBench::read(const translate::MemoryAsk& ask) {
  ++seen_.reads;
  seen_.beats += timing::data_beats(params_.memory_port, ask);
  return tables_.memory.read(ask);
}

translate::MemoryStatus SerialBench::write(const translate::MemoryAsk& ask) {
  written_[ask.structure] = driver_.now();
  return tables_.memory.write(ask);
}

void SerialBench::begin_observation() {
  seen_ = {};
  written_.clear();
  driver_.finished().clear();
}

Observation SerialBench::run(const Scenario& scenario) {
  switch (scenario.kind) {
    case Scenario::Kind::kTranslation:
      return translation(scenario);
    case Scenario::Kind::kFault:
      return fault(scenario);
    case Scenario::Kind::kCommand:
      return command(scenario);
    case Scenario::Kind::kRegister:
      return register_access(scenario);
  }
  base::contradiction("an unknown kind of scenario");
}

/// The tables of the scenario, and the request that uses them.
translate::Request SerialBench::prepare(const Scenario& scenario) {
  space_.emplace(tables_.space(scenario.first_stage ? kSv39 : 0,
                               scenario.second_stage || scenario.process_nested ? kSv39 : 0, scenario.second_level));
  const std::uint64_t iova = scenario.first_stage || !scenario.second_stage ? kIova : kGuestAddress;
  if (scenario.first_stage || scenario.second_stage) space_->map(iova, kGuestAddress, scenario.first_level);
  translate::Request request =
      Machine::request(kDevice, iova, scenario.is_write ? translate::Access::kWrite : translate::Access::kRead);
  if (scenario.process != Cached::kNotUsed) {
    processes_.emplace(tables_, *space_, scenario.process_levels);
    processes_->attach(kDevice, 0, kGscid);
    processes_->set(kProcess, kPscid);
    request.process_valid = true;
    request.process = base::ProcessId(kProcess);
    return request;
  }
  spec::DeviceContext context = tables_.attach(kDevice, *space_, 0, kGscid, kPscid);
  if (scenario.is_msi) prepare_msi(context);
  return request;
}

/// One interrupt file, at the guest address of the request.
void SerialBench::prepare_msi(spec::DeviceContext& context) {
  const std::uint64_t table = tables_.frames.take();
  tables_.memory.store(table, spec::msi_pte_w0::kV.mask() | spec::msi_pte_w0::kM.of(spec::msi_pte_mode::kBasic) |
                                  spec::msi_pte_w0::kPpn.of(0x12345));
  context.words[4] = spec::dc_msiptp::kMode.of(spec::msiptp_mode::kFlat) | spec::dc_msiptp::kPpn.of(table >> 12);
  context.words[5] = 0;
  context.words[6] = kGuestAddress >> 12;
  tables_.set_context(kDevice, context);
}

void SerialBench::execute(std::uint64_t word0, std::uint64_t word1) {
  tables_.memory.store(tables_.command_address(tail_), word0);
  tables_.memory.store(tables_.command_address(tail_) + 8, word1);
  tail_ = (tail_ + 1) % 256;
  driver_.write_register(spec::kCqtOffset, 4, tail_);
  driver_.run_until_idle();
}

/// What the scenario misses goes.
void SerialBench::invalidate(const Scenario& scenario) {
  using namespace spec;
  const std::uint64_t device = iodir_w0::kDv.mask() | iodir_w0::kDid.of(kDevice);
  if (scenario.device == Cached::kMiss) execute(opcode::kIodir | device);
  if (scenario.process == Cached::kMiss)
    execute(opcode::kIodir | iodir_w0::kFunc3.of(iodir_func3::kInvalPdt) | iodir_w0::kPid.of(kProcess) | device);
  if (scenario.translation != Cached::kMiss) return;
  execute(opcode::kIotinval);
  execute(opcode::kIotinval | iotinval_w0::kGv.mask() | iotinval_w0::kGscid.of(kGscid));
  execute(opcode::kIotinval | iotinval_w0::kFunc3.of(iotinval_func3::kGvma));
}

timing::Finished SerialBench::translate(const translate::Request& request) {
  driver_.advance(driver_.now() + kApart);
  begin_observation();
  if (!driver_.offer(request, 0)) base::contradiction("the IOMMU holds back");
  driver_.run_until_idle();
  return driver_.finished().at(0);
}

Observation SerialBench::translation(const Scenario& scenario) {
  translate::Request request = prepare(scenario);
  if (scenario.mode_bare) {
    driver_.write_register(spec::kDdtpOffset, 8, 1);
    driver_.run_until_idle();
  }
  translate(request);
  invalidate(scenario);
  const timing::Finished done = translate(request);
  if (done.outcome.kind != translate::Outcome::Kind::kTranslated)
    base::contradiction("scenario " + scenario.name + " faults with cause " + std::to_string(done.outcome.fault.cause));
  const char* const channel = scenario.is_write ? "req_valid->comp_aw_valid" : "req_valid->comp_ar_valid";
  seen_.cycles[channel] = static_cast<std::int64_t>(done.done - done.accepted);
  return seen_;
}

}  // namespace iommusim::validation
