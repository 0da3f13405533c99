// SPDX-License-Identifier: Apache-2.0
// One case of the law of differential_test.cpp: an implementation, a micro-architecture, an environment, and phases of
// traffic with commands between them. Decisions come from bytes, so the fuzz target `engine` runs the same cases.
#pragma once

#include <string>

#include "command_software.h"
#include "random_implementation.h"
#include "traffic.h"

namespace iommusim::timing::test {

/// How often each thing was met, by name.
using Coverage = std::map<std::string, unsigned>;

class DifferentialCase {
 public:
  static constexpr unsigned kPhases = 8;
  static constexpr unsigned kRequestsAPhase = 12;

  enum class Against : std::uint8_t { kCycleEngine, kCaches };

  DifferentialCase(Choices& choices, Coverage& coverage, Against against = Against::kCycleEngine)
      : choices_(choices),
        coverage_(coverage),
        levels_(1 + choices.below(3)),
        implementation_(random_architecture(choices)),
        twins_(random_twin(choices, against, implementation_), levels_, implementation_) {
    if (implementation_.end && implementation_.be_writeable && choices.flag())
      twins_.machine.memory.first_stage_big_endian = !twins_.machine.memory.big_endian;
    ddtp_ = twins_.machine.read(spec::kDdtpOffset);
    program_counters();
  }

  void run() {
    Environment environment(choices_, twins_.machine, levels_);
    Traffic traffic(environment);
    Mutations mutations(environment);
    twins_.copy_memory();
    for (unsigned phase = 0; phase < kPhases && !choices_.empty(); ++phase) {
      run_traffic(traffic);
      if (implementation_.dbg && choices_.flag()) run_debug(traffic);
      acknowledge();
      std::vector<Command> commands;
      for (unsigned i = 0; i < 2; ++i)
        for (const Command& command : mutations.mutate()) commands.push_back(command);
      twins_.copy_memory();
      upset(environment);
      for (const Command& command : commands) execute(command);
      const auto& devices = environment.devices();
      const std::uint32_t device = devices[choices_.below(static_cast<unsigned>(devices.size()))].id;
      for (unsigned i = 0; i < 2; ++i) execute(software_.random_command(environment, device));
      if (choices_.one_in(8)) software_.execute(software_.illegal_command());
      software_.finish(choices_.flag());
    }
    coverage_["command illegal"] += software_.illegal;
    coverage_["command memory fault"] += software_.memory_faults;
    coverage_["command time-out"] += software_.time_outs;
  }

 private:
  static std::unique_ptr<Twin> random_twin(Choices& choices, Against against,
                                           const spec::Implementation& implementation) {
    if (against == Against::kCaches) return std::make_unique<CachedTwin>(random_caches(choices), implementation);
    const EngineParams params = random_engine(choices);
    return std::make_unique<CycleTwin>(params, random_driver(choices), implementation);
  }
  void execute(const Command& command) {
    software_.execute(command);
    ++coverage_["command " + std::to_string(spec::command::kOpcode.get(command.word0)) + "." +
                std::to_string(spec::command::kFunc3.get(command.word0))];
  }

  void run_traffic(Traffic& traffic) {
    std::vector<translate::Request> requests;
    std::vector<translate::PageRequest> page_requests;
    for (unsigned i = 0; i < kRequestsAPhase; ++i) {
      requests.push_back(traffic.request());
      if (choices_.one_in(4)) requests.push_back(requests.back());
      if (implementation_.ats && choices_.one_in(4)) page_requests.push_back(traffic.page_request());
    }
    const std::vector<translate::Outcome> outcomes = twins_.translate(requests, page_requests);
    for (std::size_t i = 0; i < outcomes.size(); ++i) count(requests[i], outcomes[i]);
    for (const Twins::Record& record : twins_.records()) ++coverage_["cause " + std::to_string(std::get<0>(record))];
    for (const translate::DeviceMessage& message : twins_.take_messages())
      ++coverage_["page response " + std::to_string(base::bits(message.payload, 44, 4))];
  }
  void count(const translate::Request& request, const translate::Outcome& outcome) {
    coverage_["requests"] += 1;
    if (outcome.kind != translate::Outcome::Kind::kTranslated || outcome.bypass) return;
    if (request.type == translate::AddressType::kAtsRequest && outcome.fault.cause != 0) {
      ++coverage_["ats request without permission"];
      return;
    }
    ++coverage_["size " + std::to_string(outcome.size_log2)];
    if (outcome.is_msi && outcome.msi.absorbed) ++coverage_["msi stored"];
    if (outcome.is_msi) ++coverage_[outcome.msi.mrif ? "msi mrif" : "msi basic"];
    if (request.type == translate::AddressType::kAtsRequest) ++coverage_["ats request"];
    if (request.type == translate::AddressType::kTranslated) ++coverage_["translated request with t2gpa"];
    if (request.process_valid) ++coverage_["process"];
  }
  void run_debug(Traffic& traffic) {
    std::uint64_t iova = 0;
    const std::uint64_t control = traffic.debug_control(iova);
    twins_.write_register(spec::kTrReqIovaOffset, 8, iova);
    twins_.write_register(spec::kTrReqCtlOffset, 8, control);
    twins_.compare_records();
    twins_.compare();
    ++coverage_["debug"];
  }

  /// Software looks at the queues and clears what is pending; it does not always keep up with page requests.
  void acknowledge() {
    Machine& machine = twins_.machine;
    if (const std::uint64_t csr = machine.read32(spec::kFqcsrOffset); (csr & spec::fqcsr::kFqmf.mask()) != 0)
      ++coverage_["fault queue memory fault"];
    const std::uint64_t csr = machine.read32(spec::kPqcsrOffset);
    if ((csr & spec::pqcsr::kPqmf.mask()) != 0) ++coverage_["page-request queue memory fault"];
    if ((csr & spec::pqcsr::kPqof.mask()) != 0) ++coverage_["page-request queue overflow"];
    if (choices_.below(3) != 0) {
      twins_.write_register(spec::kPqhOffset, 4, machine.read32(spec::kPqtOffset));
      twins_.write_register(spec::kPqcsrOffset, 4, csr);
    }
    twins_.write_register(spec::kFqcsrOffset, 4, machine.read32(spec::kFqcsrOffset));
    twins_.write_register(spec::kIpsrOffset, 4, machine.read32(spec::kIpsrOffset));
    twins_.compare();
  }

  /// For one phase: the directory off or bypassed, interrupt messages or queues that fail, vectors masked.
  void upset(Environment& environment) {
    Machine& machine = twins_.machine;
    for (const std::uint64_t address : upset_)
      for (translate::test::SparseMemory* memory : {&machine.memory, &twins_.twin->memory})
        memory->failing.erase(address);
    upset_.clear();
    const unsigned mode = choices_.below(24);
    if (mode < 3) twins_.write_register(spec::kDdtpOffset, 8, (ddtp_ & ~0xfULL) | (mode == 2 ? 1 : 0));
    if (mode >= 3) twins_.write_register(spec::kDdtpOffset, 8, ddtp_);
    // Messages of sources that share a vector may be one or several.
    if (implementation_.vector_bits >= 2 && choices_.one_in(5))
      fail(Twins::kMessageAddress + 16 * std::uint64_t{choices_.below(4)});
    // The first record is lost, and with it all others.
    if (choices_.one_in(20)) fail(machine.fault_address(machine.read32(spec::kFqtOffset)));
    if (choices_.one_in(20))
      fail(twins_.page_request_queue + 16 * ((machine.read32(spec::kPqtOffset) + choices_.below(2)) % 8));
    if (choices_.one_in(6)) fail_resident_files(environment);
    if (choices_.one_in(6)) twins_.write_register(spec::kMsiVecCtlOffset, 4, choices_.flag() ? 1 : 0);
  }
  void fail(std::uint64_t address, translate::MemoryStatus status = translate::MemoryStatus::kAccessFault) {
    for (translate::test::SparseMemory* memory : {&twins_.machine.memory, &twins_.twin->memory})
      memory->failing[address] = status;
    upset_.push_back(address);
  }
  /// The pending bits of all memory-resident interrupt files, or the enable bits.
  void fail_resident_files(Environment& environment) {
    const auto status = choices_.flag() ? translate::MemoryStatus::kAccessFault : translate::MemoryStatus::kCorrupt;
    const std::uint64_t offset = choices_.flag() ? 8 : 0;
    for (const Environment::Domain& domain : environment.domains())
      for (std::uint64_t file = 0; domain.msi_table != 0 && file < 8; ++file)
        for (std::uint64_t i = 0; i < 32; ++i) fail(Environment::resident_file(domain, file) + 16 * i + offset, status);
  }

  /// Events 1 to 3 are architecture; the others depend on the caches. Some counters are about to overflow.
  void program_counters() {
    using namespace spec;
    for (std::uint32_t i = 0; i + 1 < implementation_.num_hpm; ++i) {
      std::uint64_t selector = iohpmevt::kEventId.of(choices_.below(4));
      if (choices_.one_in(4)) selector |= iohpmevt::kDvGscv.mask() | iohpmevt::kDidGscid.of(choices_.number(3));
      if (choices_.flag()) selector |= iohpmevt::kDmask.mask();
      if (choices_.one_in(8)) selector |= iohpmevt::kIdt.mask();
      twins_.write_register(kIohpmevtOffset + 8 * i, 8, selector);
      if (choices_.flag()) twins_.write_register(kIohpmctrOffset + 8 * i, 8, ~0ULL - choices_.below(64));
    }
  }

  Choices& choices_;
  Coverage& coverage_;
  unsigned levels_;
  spec::Implementation implementation_;
  Twins twins_;
  CommandSoftware software_{twins_, choices_};
  std::uint64_t ddtp_ = 0;
  std::vector<std::uint64_t> upset_;
};

}  // namespace iommusim::timing::test
