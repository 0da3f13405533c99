// SPDX-License-Identifier: Apache-2.0
#include "conformance/vector_memory.h"

namespace iommusim::conformance {

using translate::MemoryAnswer;
using translate::MemoryAsk;
using translate::MemoryStatus;

void VectorMemory::clear() {
  pages_.clear();
  access_fault_.reset();
  corrupt_.reset();
  changed_.clear();
}

std::uint8_t VectorMemory::byte(std::uint64_t address) const {
  const auto page = pages_.find(address >> 12);
  return page == pages_.end() ? std::uint8_t{0} : (*page->second)[address & 4095];
}

void VectorMemory::put(std::uint64_t address, std::uint8_t value) {
  auto& page = pages_[address >> 12];
  if (page == nullptr) page = std::make_unique<Page>();
  (*page)[address & 4095] = value;
}

void VectorMemory::store(std::uint64_t address, const std::vector<std::uint8_t>& bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) put(address + i, bytes[i]);
}

std::vector<std::uint8_t> VectorMemory::load(std::uint64_t address, std::size_t bytes) const {
  std::vector<std::uint8_t> result(bytes);
  for (std::size_t i = 0; i < bytes; ++i) result[i] = byte(address + i);
  return result;
}

void VectorMemory::inject(MemoryStatus kind, std::optional<std::uint64_t> address) {
  (kind == MemoryStatus::kCorrupt ? corrupt_ : access_fault_) = address;
}

MemoryStatus VectorMemory::status_of(const MemoryAsk& ask) const {
  const auto hits = [&ask](const std::optional<std::uint64_t>& address) {
    return address && *address >= ask.address && *address - ask.address < ask.bytes;
  };
  if (hits(access_fault_)) return MemoryStatus::kAccessFault;
  return hits(corrupt_) ? MemoryStatus::kCorrupt : MemoryStatus::kOk;
}

MemoryAnswer VectorMemory::read(const MemoryAsk& ask) {
  MemoryAnswer answer;
  answer.status = status_of(ask);
  if (answer.status == MemoryStatus::kOk)
    for (unsigned i = 0; i < ask.bytes; ++i)
      answer.data[i / 8] |= std::uint64_t{byte(ask.address + i)} << (8 * (i % 8));
  return answer;
}

void VectorMemory::write_word(std::uint64_t address, std::uint64_t word, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) {
    changed_.emplace(address + i, byte(address + i));  // keeps the first value
    put(address + i, static_cast<std::uint8_t>(word >> (8 * i)));
  }
}

MemoryStatus VectorMemory::write(const MemoryAsk& ask) {
  const MemoryStatus status = status_of(ask);
  if (status != MemoryStatus::kOk) return status;
  for (unsigned i = 0; i < ask.bytes; i += 8)
    write_word(ask.address + i, ask.data[i / 8], ask.bytes - i < 8 ? ask.bytes - i : 8U);
  return MemoryStatus::kOk;
}

MemoryAnswer VectorMemory::compare_swap(const MemoryAsk& ask) {
  const MemoryAnswer answer = read(ask);
  if (answer.status == MemoryStatus::kOk && answer.data[0] == ask.data[0])
    write_word(ask.address, ask.data[1], ask.bytes);
  return answer;
}

void VectorMemory::account(std::uint64_t address, std::size_t bytes) {
  changed_.erase(changed_.lower_bound(address), changed_.lower_bound(address + bytes));
}

std::optional<std::uint64_t> VectorMemory::unaccounted() const {
  for (const auto& [address, before] : changed_)
    if (byte(address) != before) return address;
  return std::nullopt;
}

}  // namespace iommusim::conformance
