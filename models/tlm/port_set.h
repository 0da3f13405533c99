// SPDX-License-Identifier: Apache-2.0
// A set of port numbers as bits: what a round-robin arbiter asks costs a word for every 64 ports, not a look at each.
#pragma once

#include <cstdint>
#include <vector>

namespace iommusim::bus {

class PortSet {
 public:
  explicit PortSet(unsigned ports) : words_((ports + 63) / 64) {}

  bool empty() const { return count_ == 0; }
  bool contains(unsigned port) const { return (words_[port / 64] >> port % 64 & 1) != 0; }
  void insert(unsigned port) {
    if (contains(port)) return;
    words_[port / 64] |= 1ULL << port % 64;
    ++count_;
  }
  void erase(unsigned port) {
    if (!contains(port)) return;
    words_[port / 64] &= ~(1ULL << port % 64);
    --count_;
  }
  /// The first member behind `port`, and from 0 on when there is none; itself at last. The set must not be empty.
  unsigned next_after(unsigned port) const {
    const std::size_t own = port / 64;
    const std::uint64_t behind = port % 64 == 63 ? 0 : ~0ULL << (port % 64 + 1);
    if (const std::uint64_t word = words_[own] & behind; word != 0) return number(own, word);
    for (std::size_t i = own + 1; i < words_.size(); ++i)
      if (words_[i] != 0) return number(i, words_[i]);
    for (std::size_t i = 0; i < own; ++i)
      if (words_[i] != 0) return number(i, words_[i]);
    return number(own, words_[own]);
  }
  /// Calls visit(port) for each member in order. `visit` may take that one out.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (std::size_t i = 0; i < words_.size() && count_ != 0; ++i)
      for (std::uint64_t word = words_[i]; word != 0; word &= word - 1) visit(number(i, word));
  }

 private:
  static unsigned number(std::size_t index, std::uint64_t word) {
    return static_cast<unsigned>(index * 64) + static_cast<unsigned>(__builtin_ctzll(word));
  }
  std::vector<std::uint64_t> words_;
  std::size_t count_ = 0;
};

}  // namespace iommusim::bus
