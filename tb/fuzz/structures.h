// SPDX-License-Identifier: Apache-2.0
// One device with directories, page tables and MSI page tables, some words of which are spoilt, and a memory that
// remembers the last entry read of each structure. From these entries follows what a translation may grant.
#pragma once

#include <algorithm>

#include "translate/byte_order.h"
#include "world.h"

namespace iommusim::fuzz {

/// Memory between engine and tables.
class Watch : public translate::MemoryPort {
 public:
  /// Three device and three process directory reads, five levels each with five of the second stage, updates and
  /// their repetitions, a record and messages: far below this.
  static constexpr unsigned kLimit = 300;

  explicit Watch(translate::test::SparseMemory& memory) : memory_(memory) {}
  translate::MemoryAnswer read(const translate::MemoryAsk& ask) override {
    note(ask);
    return memory_.read(ask);
  }
  translate::MemoryStatus write(const translate::MemoryAsk& ask) override {
    note(ask);
    ++changes;
    return memory_.write(ask);
  }
  translate::MemoryAnswer compare_swap(const translate::MemoryAsk& ask) override {
    note(ask);
    ++changes;
    return memory_.compare_swap(ask);
  }
  void clear() {
    accesses_ = changes = 0;
    last.fill({});
  }
  const translate::MemoryAsk& of(translate::Structure structure) const {
    return last[static_cast<unsigned>(structure)];
  }

  unsigned changes = 0;
  std::array<translate::MemoryAsk, translate::kStructureCount> last{};  ///< bytes = 0: not accessed

 private:
  void note(const translate::MemoryAsk& ask) {
    base::ensure(++accesses_ <= kLimit, "more memory accesses than a translation needs");
    last[static_cast<unsigned>(ask.structure)] = ask;
  }
  translate::test::SparseMemory& memory_;
  unsigned accesses_ = 0;
};

class Structures {
 public:
  static constexpr std::uint32_t kDevice = 5;
  static constexpr std::uint32_t kProcess = 0xa5;

  explicit Structures(Choices& choices) : machine(random_implementation(choices)) { build(choices); }

  translate::Request request(Choices& choices) {
    std::uint64_t iova = choices.pick(iovas_) + choices.below(0x2000);
    if (choices.one_in(8)) iova = choices.number(8);
    translate::Request request = random_request(choices, choices.one_in(16) ? choices.byte() : kDevice, iova);
    if (request.process_valid && !choices.one_in(8)) request.process = base::ProcessId(kProcess);
    return request;
  }
  void check_grant(const translate::Request& request, const translate::Outcome& outcome) const;

  translate::test::Machine machine;
  Watch watch{machine.memory};
  translate::FunctionalEngine engine{machine.registers, watch};

 private:
  void build(Choices& choices);
  std::uint64_t build_processes(translate::test::AddressSpace& space, unsigned levels, bool nested);
  void spoil(Choices& choices);
  std::uint64_t leaf(const translate::MemoryAsk& ask, bool big_endian) const;

  std::vector<std::uint64_t> iovas_;
};

void check_fault(const translate::Request& request, const translate::Outcome& outcome);

}  // namespace iommusim::fuzz
