// SPDX-License-Identifier: Apache-2.0
// The functional engine without caches and another engine side by side, each with a memory of its own, given the same
// registers, requests, messages and commands. At rest they must agree: answers by request, fault records as a multiset,
// messages to devices, every register, every word of memory outside the fault queue (A and D bits, page requests, fence
// data, interrupt messages).
#pragma once

#include <map>
#include <tuple>

#include "mutations.h"
#include "random_params.h"
#include "twin.h"
#include "twin_answers.h"

namespace iommusim::timing::test {

class Twins {
 public:
  using Record = std::tuple<unsigned, unsigned, unsigned, unsigned, bool, bool, std::uint64_t, std::uint64_t>;
  static constexpr unsigned kQueueEntries = 256;
  /// Vector v's messages go 16 v bytes further.
  static constexpr std::uint64_t kMessageAddress = 0x7000;

  Twins(std::unique_ptr<Twin> other, unsigned ddt_levels, const spec::Implementation& implementation)
      : machine(implementation, ddt_levels), twin(std::move(other)) {
    machine.memory.big_endian = machine.registers.big_endian();
    machine.memory.first_stage_big_endian = machine.memory.big_endian;
    copy_memory();
    for (const auto& [offset, bytes, value] :
         {std::tuple<std::uint32_t, unsigned, std::uint64_t>{spec::kCqbOffset, 8, machine.command_address(0) >> 2 | 7},
          {spec::kFqbOffset, 8, machine.fault_address(0) >> 2 | 6},
          {spec::kCqcsrOffset, 4, spec::cqcsr::kCqen.mask() | spec::cqcsr::kCie.mask()},
          {spec::kFqcsrOffset, 4, spec::fqcsr::kFqen.mask() | spec::fqcsr::kFie.mask()},
          {spec::kDdtpOffset, 8, machine.ddt_root >> 2 | (ddt_levels + 1)}})
      twin->write_register(offset, bytes, value);  // the machine has written its own
    page_request_queue = machine.frames.take();
    write_register(spec::kPqbOffset, 8, page_request_queue >> 2 | 2);  // 8 entries
    write_register(spec::kPqcsrOffset, 4, spec::pqcsr::kPqen.mask() | spec::pqcsr::kPie.mask());
    // Cycles are the cycle engine's alone. The interrupt sources have vectors of their own, if there are so many.
    write_register(spec::kIocountinhOffset, 4, spec::iocountinh::kCy.mask());
    write_register(spec::kIohpmcyclesOffset, 8, 0);
    write_register(spec::kIcvecOffset, 8, 0x3201);
    for (std::uint32_t v = 0; v < spec::kMaxVectors; ++v) {
      write_register(spec::kMsiAddrOffset + 16 * v, 8, kMessageAddress + 16 * std::uint64_t{v});
      write_register(spec::kMsiDataOffset + 16 * v, 4, 0xd0 + v);
    }
  }

  /// Software programs both.
  void write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value) {
    machine.engine.write_register(offset, bytes, value);
    twin->write_register(offset, bytes, value);
  }
  /// Memory as software left it in the machine.
  void copy_memory() { twin->memory = machine.memory; }

  /// All requests without a pause, page requests among them; returns the answers of the functional engine.
  std::vector<translate::Outcome> translate(const std::vector<translate::Request>& requests,
                                            const std::vector<translate::PageRequest>& page_requests = {}) {
    std::vector<translate::Outcome> expected;
    for (const translate::Request& request : requests) expected.push_back(machine.engine.translate(request));
    for (const translate::PageRequest& request : page_requests) machine.engine.page_request(request);
    const std::vector<translate::Outcome> found = twin->translate(requests, page_requests);
    for (std::size_t i = 0; i < requests.size(); ++i) compare_answers(requests[i], expected[i], found[i]);
    compare_records();
    compare();
    twin->check_statistics();
    return expected;
  }
  /// The command is queued, and executed unless something holds it.
  void command(const Command& command) {
    const std::uint64_t tail = machine.read32(spec::kCqtOffset);
    const std::uint64_t next = (tail + 1) % kQueueEntries;
    base::ensure(next != machine.read32(spec::kCqhOffset), "the command queue is full");
    put_command(tail, command);
    write_register(spec::kCqtOffset, 4, next);
    compare();
  }
  /// Overwrites the entry in both memories.
  void put_command(std::uint64_t entry, const Command& command) {
    for (translate::test::SparseMemory* each : {&machine.memory, &twin->memory}) {
      each->store(machine.command_address(entry), command.word0);
      each->store(machine.command_address(entry) + 8, command.word1);
    }
  }
  void complete(const translate::InvalidationCompletion& message) {
    const bool expected = machine.engine.invalidation_completion(message);
    base::ensure(twin->complete(message) == expected, "a completion is expected by one engine only");
    compare();
  }
  void time_out(std::uint32_t itag_vector) {
    machine.engine.invalidation_time_out(itag_vector);
    twin->time_out(itag_vector);
    compare();
  }
  /// Messages since the last call.
  std::vector<translate::DeviceMessage> take_messages() {
    std::vector<translate::DeviceMessage> result;
    std::swap(result, machine.messages.sent);
    twin->messages().clear();
    return result;
  }
  /// The records of the last phase.
  const std::vector<Record>& records() const { return records_; }
  /// Takes the records out of both queues and compares them.
  void compare_records() {
    const std::uint64_t head = machine.read32(spec::kFqhOffset);
    base::ensure(twin->read_register(spec::kFqtOffset, 4) == machine.read32(spec::kFqtOffset),
                 "different numbers of fault records");
    std::vector<Record> found;
    records_.clear();
    put(records_, machine.take_records());
    // The same reader on the other memory.
    std::swap(machine.memory, twin->memory);
    machine.write32(spec::kFqhOffset, head);
    put(found, machine.take_records());
    std::swap(machine.memory, twin->memory);
    twin->write_register(spec::kFqhOffset, 4, machine.read32(spec::kFqhOffset));
    base::ensure(found == records_, "the fault records differ");
  }
  /// Registers, messages and memory.
  void compare() {
    compare_registers();
    base::ensure(machine.messages.sent.size() == twin->messages().size(), "different numbers of messages");
    for (std::size_t i = 0; i < twin->messages().size(); ++i)
      base::ensure(same_message(machine.messages.sent[i], twin->messages()[i]), "different messages");
    compare_memory(machine.memory, twin->memory);
    compare_memory(twin->memory, machine.memory);
  }

  Machine machine;
  std::unique_ptr<Twin> twin;
  std::uint64_t page_request_queue = 0;

 private:
  static void put(std::vector<Record>& to, const std::vector<translate::test::Record>& from) {
    for (const auto& r : from) to.emplace_back(r.cause, r.pid, r.ttyp, r.did, r.pv, r.priv, r.iotval, r.iotval2);
    std::sort(to.begin(), to.end());
  }
  void compare_registers() {
    for (const spec::RegisterInfo& info : spec::kRegisters)
      for (unsigned i = 0; i < info.count; ++i) {
        const std::uint32_t offset = info.offset + i * info.stride;
        const std::uint64_t one = machine.engine.read_register(offset, info.bytes);
        const std::uint64_t other = twin->read_register(offset, info.bytes);
        if (one != other)
          base::contradiction(std::string("register ") + info.name + " is " + std::to_string(one) +
                              ", in the other engine " + std::to_string(other));
      }
  }
  /// Fault records lie in the order in which they were made.
  void compare_memory(const translate::test::SparseMemory& one, const translate::test::SparseMemory& other) const {
    const std::uint64_t queue = machine.fault_address(0);
    one.for_each_word([&](std::uint64_t address, std::uint64_t word) {
      if (address - queue < 4096 || other.load(address) == word) return;
      base::contradiction("memory differs at " + std::to_string(address) + ": " + std::to_string(word) + ", " +
                          std::to_string(other.load(address)));
    });
  }

  std::vector<Record> records_;
};

}  // namespace iommusim::timing::test
