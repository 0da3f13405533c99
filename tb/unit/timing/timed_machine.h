// SPDX-License-Identifier: Apache-2.0
// A cycle engine on tables that the architecture's table builder made: registers are programmed as software does, the
// plain driver is the shell.
#pragma once

#include <memory>

#include "machine.h"
#include "timing/plain_driver.h"

namespace iommusim::timing::test {

using translate::Access;
using translate::test::AddressSpace;
using translate::test::Machine;
namespace flags = translate::test::flags;

/// Everything off that may be off, every latency at its least: what a test adds, it sees.
inline EngineParams bare_params() {
  EngineParams params;
  params.ddt_cache.entries = params.directory_cache.entries = params.iotlb.entries = 0;
  for (WalkCacheStageParams* stage : {&params.walk_cache.first_stage, &params.walk_cache.second_stage})
    stage->level1.entries = stage->level2.entries = stage->level3.entries = stage->level4.entries = 0;
  return params;
}

class TimedMachine {
 public:
  explicit TimedMachine(const EngineParams& params = {}, const PlainDriverParams& driver_params = {},
                        unsigned ddt_levels = 3, const spec::Implementation& implementation = {})
      : tables(implementation, ddt_levels),
        engine(params, implementation, 1, root, "iommu", 2),
        driver(engine, tables.memory, driver_params),
        levels_(ddt_levels) {
    driver.write_register(spec::kCqbOffset, 8, tables.command_address(0) >> 2 | 7);
    driver.write_register(spec::kFqbOffset, 8, tables.fault_address(0) >> 2 | 6);
    driver.write_register(spec::kCqcsrOffset, 4, spec::cqcsr::kCqen.mask());
    driver.run_until_idle();
    driver.write_register(spec::kFqcsrOffset, 4, spec::fqcsr::kFqen.mask());
    driver.run_until_idle();
    driver.write_register(spec::kDdtpOffset, 8, tables.ddt_root >> 2 | (levels_ + 1));
    driver.run_until_idle();
  }

  /// One request, to its end.
  Finished translate(std::uint32_t device, std::uint64_t iova, Access access = Access::kRead) {
    driver.finished().clear();
    if (!driver.offer(Machine::request(device, iova, access), 0)) base::contradiction("the IOMMU holds back");
    driver.run_until_idle();
    return driver.finished().at(0);
  }
  base::Cycle latency(std::uint32_t device, std::uint64_t iova) {
    const Finished done = translate(device, iova);
    return done.done - done.accepted;
  }
  /// Puts a command into the queue without moving the tail register; submit() does.
  void queue_command(std::uint64_t word0, std::uint64_t word1) {
    tables.memory.store(tables.command_address(tail_), word0);
    tables.memory.store(tables.command_address(tail_) + 8, word1);
    tail_ = (tail_ + 1) % 256;
  }
  void submit() { driver.write_register(spec::kCqtOffset, 4, tail_); }
  std::uint64_t head() const { return driver.read_register(spec::kCqhOffset, 4); }
  std::uint64_t tail() const { return tail_; }

  Machine tables;
  stats::Group root{"test"};
  Engine engine;
  PlainDriver driver;

 private:
  unsigned levels_;
  std::uint64_t tail_ = 0;
};

/// Commands, word 0 (IOMMU 3.1).
inline std::uint64_t iotinval_page(unsigned pscid) {
  return spec::opcode::kIotinval | spec::iotinval_w0::kAv.mask() | spec::iotinval_w0::kPscv.mask() |
         spec::iotinval_w0::kPscid.of(pscid);
}
inline constexpr std::uint64_t kFence =
    spec::opcode::kIofence | spec::iofence_w0::kPr.mask() | spec::iofence_w0::kPw.mask();
inline constexpr std::uint64_t kInvalAllDevices = spec::opcode::kIodir;
/// Word 1 of an IOTINVAL.
inline constexpr std::uint64_t address_word(std::uint64_t iova) { return iova >> 2; }

}  // namespace iommusim::timing::test
