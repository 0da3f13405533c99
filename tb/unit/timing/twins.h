// SPDX-License-Identifier: Apache-2.0
// The functional and the cycle engine side by side, each with a memory of its own, given the same registers, requests
// and commands. At rest they must agree: answers by request, fault records as a multiset, every word of memory outside
// the fault queue (A and D bits, fence data, interrupt messages).
#pragma once

#include <map>
#include <tuple>

#include "environment.h"
#include "random_params.h"

namespace iommusim::timing::test {

class Twins {
 public:
  using Answer = std::tuple<int, std::uint64_t, int, unsigned, unsigned, unsigned, bool>;
  using Record = std::tuple<unsigned, unsigned, unsigned, unsigned, bool, bool, std::uint64_t, std::uint64_t>;
  /// Far more than a phase of any environment takes; beyond it something goes in circles.
  static constexpr unsigned kMaxEvents = 200000;

  Twins(const EngineParams& params, const PlainDriverParams& driver_params, unsigned ddt_levels,
        const spec::Implementation& implementation = wide_implementation())
      : machine(implementation, ddt_levels),
        engine(params, implementation, driver_params.seed, root),
        driver(engine, memory, driver_params) {
    const auto both = [this](std::uint32_t offset, unsigned bytes, std::uint64_t value) {
      driver.write_register(offset, bytes, value);
      rest();
    };
    both(spec::kCqbOffset, 8, machine.command_address(0) >> 2 | 7);
    both(spec::kFqbOffset, 8, machine.fault_address(0) >> 2 | 6);
    both(spec::kCqcsrOffset, 4, spec::cqcsr::kCqen.mask() | spec::cqcsr::kCie.mask());
    both(spec::kFqcsrOffset, 4, spec::fqcsr::kFqen.mask() | spec::fqcsr::kFie.mask());
    both(spec::kDdtpOffset, 8, machine.ddt_root >> 2 | (ddt_levels + 1));
  }

  /// The default one, with Bare stages that do not limit the size of a page.
  static spec::Implementation wide_implementation() {
    spec::Implementation result;
    result.first_bare_log2 = result.second_bare_log2 = 56;
    return result;
  }
  /// To both.
  void write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value) {
    machine.engine.write_register(offset, bytes, value);
    driver.write_register(offset, bytes, value);
    rest();
  }
  /// Memory as software left it in the machine.
  void copy_memory() { memory = machine.memory; }

  /// All requests without a pause; returns the answers of the functional engine.
  std::vector<translate::Outcome> translate(const std::vector<translate::Request>& requests) {
    std::vector<translate::Outcome> expected;
    for (const translate::Request& request : requests) expected.push_back(machine.engine.translate(request));
    driver.finished().clear();
    for (std::uint64_t i = 0; i < requests.size(); ++i)
      while (!driver.offer(requests[i], i)) step();
    rest();
    base::ensure(driver.finished().size() == requests.size(), "not every request was answered once");
    for (const Finished& done : driver.finished())
      if (answer_of(done.outcome) != answer_of(expected[done.cookie]))
        base::contradiction("answers differ: " + describe(requests[done.cookie]) + ": functional " +
                            describe(expected[done.cookie]) + ", cycle " + describe(done.outcome));
    compare_records();
    compare_memory();
    stats::check_identities(root);
    return expected;
  }
  void command(const Command& command) {
    const std::uint64_t tail = machine.read32(spec::kCqtOffset);
    memory.store(machine.command_address(tail), command.word0);
    memory.store(machine.command_address(tail) + 8, command.word1);
    machine.command(command.word0, command.word1);
    driver.write_register(spec::kCqtOffset, 4, (tail + 1) % 256);
    rest();
    for (const std::uint32_t offset : {spec::kCqhOffset, spec::kCqcsrOffset, spec::kIpsrOffset})
      base::ensure(machine.read32(offset) == driver.read_register(offset, 4), "the command queues differ");
    compare_memory();
  }
  /// Until nothing happens any more, within bounds.
  void rest() {
    for (unsigned events = 0; driver.advance(); ++events)
      base::ensure(events < kMaxEvents, "the cycle engine does not come to rest");
    driver.run_until_idle();
  }
  /// The records of the last phase.
  const std::vector<Record>& records() const { return records_; }

  Machine machine;
  translate::test::SparseMemory memory;
  stats::Group root{"twins"};
  Engine engine;
  PlainDriver driver;

 private:
  void step() { base::ensure(driver.advance(), "a full IOMMU has nothing to do"); }

  static Answer answer_of(const translate::Outcome& outcome) {
    if (outcome.kind == translate::Outcome::Kind::kFault)
      return {1, 0, static_cast<int>(outcome.response), 0, 0, outcome.fault.cause, outcome.record_fault};
    return {0, outcome.spa, static_cast<int>(outcome.response), outcome.size_log2, outcome.pbmt, 0, outcome.bypass};
  }
  static std::string describe(const translate::Outcome& outcome) {
    return outcome.kind == translate::Outcome::Kind::kFault
               ? "cause " + std::to_string(outcome.fault.cause)
               : "spa " + std::to_string(outcome.spa) + " size 2^" + std::to_string(outcome.size_log2);
  }
  static std::string describe(const translate::Request& request) {
    return "device " + std::to_string(request.device.value) + " iova " + std::to_string(request.iova.value) +
           " access " + std::to_string(static_cast<int>(request.access)) + (request.execute ? " execute" : "");
  }

  static void put(std::vector<Record>& to, const std::vector<translate::test::Record>& from) {
    for (const auto& r : from) to.emplace_back(r.cause, r.pid, r.ttyp, r.did, r.pv, r.priv, r.iotval, r.iotval2);
    std::sort(to.begin(), to.end());
  }
  /// Takes the records out of both queues.
  void compare_records() {
    const std::uint64_t head = machine.read32(spec::kFqhOffset);
    base::ensure(driver.read_register(spec::kFqtOffset, 4) == machine.read32(spec::kFqtOffset),
                 "different numbers of fault records");
    std::vector<Record> found;
    records_.clear();
    put(records_, machine.take_records());
    // The same reader on the other memory.
    std::swap(machine.memory, memory);
    machine.write32(spec::kFqhOffset, head);
    put(found, machine.take_records());
    std::swap(machine.memory, memory);
    driver.write_register(spec::kFqhOffset, 4, machine.read32(spec::kFqhOffset));
    rest();
    base::ensure(found == records_, "the fault records differ");
    const std::uint64_t pending = machine.read32(spec::kIpsrOffset);
    base::ensure(driver.read_register(spec::kIpsrOffset, 4) == pending, "the pending interrupts differ");
    write_register(spec::kIpsrOffset, 4, pending);
  }
  void compare_memory() {
    const std::uint64_t queue = machine.fault_address(0);
    const auto compare = [queue](const translate::test::SparseMemory& one, const translate::test::SparseMemory& other) {
      one.for_each_word([&](std::uint64_t address, std::uint64_t word) {
        if (address - queue < 4096) return;
        if (other.load(address) != word)
          base::contradiction("memory differs at " + std::to_string(address) + ": " + std::to_string(word) + ", " +
                              std::to_string(other.load(address)));
      });
    };
    compare(machine.memory, memory);
    compare(memory, machine.memory);
  }

  std::vector<Record> records_;
};

}  // namespace iommusim::timing::test
