// SPDX-License-Identifier: Apache-2.0
// Memory for tests of the architecture: sparse, zero at first, counts the IOMMU's accesses by structure and level, and
// fails where a test says so. `before_swap` lets a test change an entry between the walk's read and its update. Tests
// store host words; what the IOMMU reads as big-endian is turned on the way to it, when the two flags say so.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "translate/byte_order.h"
#include "translate/functional.h"

namespace iommusim::translate::test {

class SparseMemory : public MemoryPort {
 public:
  std::uint64_t load(std::uint64_t address) const {
    const auto word = words_.find(address & ~7ULL);
    return word == words_.end() ? 0 : word->second;
  }
  void store(std::uint64_t address, std::uint64_t value) { words_[address & ~7ULL] = value; }
  void store32(std::uint64_t address, std::uint32_t value) {
    halved_.insert(address & ~7ULL);
    store(address, base::with_bits(load(address), 8 * static_cast<unsigned>(address & 4), 32, value));
  }
  std::uint32_t load32(std::uint64_t address) const {
    return static_cast<std::uint32_t>(base::bits(load(address), 8 * static_cast<unsigned>(address & 4), 32));
  }

  /// Calls visit(address, word) for every word that was written.
  template <class Visit>
  void for_each_word(Visit&& visit) const {
    for (const auto& [address, word] : words_) visit(address, word);
  }

  MemoryAnswer read(const MemoryAsk& ask) override {
    ++reads[static_cast<unsigned>(ask.structure)][ask.level];
    MemoryAnswer answer{status_of(ask), {}};
    if (answer.status == MemoryStatus::kOk) fetch(ask, answer);
    return answer;
  }
  MemoryStatus write(const MemoryAsk& ask) override {
    ++writes;
    const MemoryStatus status = status_of(ask);
    if (status != MemoryStatus::kOk) return status;
    if (ask.bytes == 4) store32(ask.address, static_cast<std::uint32_t>(turned(ask, ask.data[0])));
    for (unsigned i = 0; ask.bytes > 4 && i < ask.bytes; i += 8) store(ask.address + i, turned(ask, ask.data[i / 8]));
    return status;
  }
  MemoryAnswer compare_swap(const MemoryAsk& ask) override {
    ++swaps;
    if (before_swap) before_swap(ask);
    MemoryAnswer answer{status_of(ask), {}};
    if (answer.status != MemoryStatus::kOk) return answer;
    fetch(ask, answer);
    if (answer.data[0] != ask.data[0]) return answer;
    if (ask.bytes == 4) store32(ask.address, static_cast<std::uint32_t>(turned(ask, ask.data[1])));
    if (ask.bytes == 8) store(ask.address, turned(ask, ask.data[1]));
    return answer;
  }

  unsigned reads_of(Structure structure) const {
    unsigned sum = 0;
    for (const unsigned count : reads[static_cast<unsigned>(structure)]) sum += count;
    return sum;
  }
  void clear_counts() {
    reads = {};
    writes = swaps = 0;
  }

  std::array<std::array<unsigned, 8>, kStructureCount> reads{};
  unsigned writes = 0;
  unsigned swaps = 0;
  std::map<std::uint64_t, MemoryStatus> failing;  ///< byte address -> how an access that includes it ends
  std::function<void(const MemoryAsk&)> before_swap;
  bool big_endian = false;              ///< as fctl.BE
  bool first_stage_big_endian = false;  ///< as DC.tc.SBE of all devices

 private:
  MemoryStatus status_of(const MemoryAsk& ask) const {
    const auto hit = failing.lower_bound(ask.address);
    return hit != failing.end() && hit->first < ask.address + ask.bytes ? hit->second : MemoryStatus::kOk;
  }
  void fetch(const MemoryAsk& ask, MemoryAnswer& answer) const {
    if (ask.bytes == 4) answer.data[0] = turned(ask, load32(ask.address));
    for (unsigned i = 0; ask.bytes > 4 && i < ask.bytes; i += 8) {
      std::uint64_t word = turned(ask, load(ask.address + i));
      if (halved_.count(ask.address + i) != 0 && word != load(ask.address + i)) word = word << 32 | word >> 32;
      answer.data[i / 8] = word;
    }
  }
  std::uint64_t turned(const MemoryAsk& ask, std::uint64_t word) const {
    const bool first = ask.structure == Structure::kFirstStage || ask.structure == Structure::kPdt;
    return to_host(word, ask.bytes == 4 ? 4 : 8, first ? first_stage_big_endian : big_endian);
  }
  std::unordered_map<std::uint64_t, std::uint64_t> words_;
  std::unordered_set<std::uint64_t> halved_;  // words that hold two entries of 4 bytes
};

}  // namespace iommusim::translate::test
