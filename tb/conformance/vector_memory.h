// SPDX-License-Identifier: Apache-2.0
// The memory of a conformance section: sparse, zero at first, with at most one injected fault of each kind, and with a
// journal of what the IOMMU changed since the last operation, so that no write of it goes unnoticed.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "translate/functional.h"

namespace iommusim::conformance {

class VectorMemory : public translate::MemoryPort {
 public:
  /// Zero everywhere, no injected faults.
  void clear();
  void store(std::uint64_t address, const std::vector<std::uint8_t>& bytes);
  std::vector<std::uint8_t> load(std::uint64_t address, std::size_t bytes) const;
  /// FORMAT.md 4.5.
  void inject(translate::MemoryStatus kind, std::optional<std::uint64_t> address);

  /// Forgets the journal.
  void begin_operation() { changed_.clear(); }
  /// The bytes of this range are accounted for.
  void account(std::uint64_t address, std::size_t bytes);
  /// Address of a byte that the IOMMU changed and nobody accounted for.
  std::optional<std::uint64_t> unaccounted() const;

  translate::MemoryAnswer read(const translate::MemoryAsk& ask) override;
  translate::MemoryStatus write(const translate::MemoryAsk& ask) override;
  translate::MemoryAnswer compare_swap(const translate::MemoryAsk& ask) override;

 private:
  using Page = std::array<std::uint8_t, 4096>;
  std::uint8_t byte(std::uint64_t address) const;
  void put(std::uint64_t address, std::uint8_t value);
  translate::MemoryStatus status_of(const translate::MemoryAsk& ask) const;
  void write_word(std::uint64_t address, std::uint64_t word, unsigned bytes);

  std::unordered_map<std::uint64_t, std::unique_ptr<Page>> pages_;
  std::optional<std::uint64_t> access_fault_;
  std::optional<std::uint64_t> corrupt_;
  std::map<std::uint64_t, std::uint8_t> changed_;  ///< byte address -> value before the operation
};

}  // namespace iommusim::conformance
