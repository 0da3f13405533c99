// SPDX-License-Identifier: Apache-2.0
// Decisions read from bytes, so that RapidCheck and libFuzzer steer the same generators. Every byte string is a valid
// list of decisions: when the bytes are used up, all further decisions are 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace iommusim::timing::test {

class Choices {
 public:
  Choices(const std::uint8_t* data, std::size_t size) : next_(data), left_(size) {}

  bool empty() const { return left_ == 0; }
  std::size_t left() const { return left_; }
  std::uint8_t byte() {
    if (left_ == 0) return 0;
    --left_;
    return *next_++;
  }
  /// Little-endian number of that many bytes.
  std::uint64_t number(unsigned bytes) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < bytes; ++i) value |= std::uint64_t{byte()} << (8 * i);
    return value;
  }
  /// In [0, bound), bound at most 65536.
  unsigned below(unsigned bound) { return static_cast<unsigned>(number(bound > 256 ? 2 : 1)) % bound; }
  bool one_in(unsigned n) { return below(n) == n - 1; }
  bool flag() { return (byte() & 1) != 0; }
  template <class Table>
  auto pick(const Table& table) {
    return table[below(static_cast<unsigned>(std::size(table)))];
  }

 private:
  const std::uint8_t* next_;
  std::size_t left_;
};

}  // namespace iommusim::timing::test
