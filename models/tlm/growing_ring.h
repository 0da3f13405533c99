// SPDX-License-Identifier: Apache-2.0
// A queue that takes more memory only when it holds more than ever before, and a store of numbered slots of the same
// kind: for what no parameter bounds. Neither allocates in the steady state.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/error.h"

namespace iommusim::bus {

template <class T>
class GrowingRing {
 public:
  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }
  const T& front() const { return slots_[head_]; }
  T& at(std::size_t i) { return slots_[(head_ + i) & (slots_.size() - 1)]; }
  void push(const T& value) {
    if (count_ == slots_.size()) grow();
    at(count_++) = value;
  }
  /// Behind all that do not come after it: before(a, b) says that a comes before b.
  template <class Before>
  void insert(const T& value, Before&& before) {
    push(value);
    for (std::size_t i = count_ - 1; i > 0 && before(at(i), at(i - 1)); --i) std::swap(at(i), at(i - 1));
  }
  void pop() {
    base::ensure(count_ != 0, "pop from an empty ring");
    head_ = (head_ + 1) & (slots_.size() - 1);
    --count_;
  }

 private:
  void grow() {
    std::vector<T> more(slots_.empty() ? 8 : 2 * slots_.size());  // a power of two
    for (std::size_t i = 0; i < count_; ++i) more[i] = at(i);
    slots_ = std::move(more);
    head_ = 0;
  }
  std::vector<T> slots_;
  std::size_t head_ = 0;
  std::size_t count_ = 0;
};

/// Objects by number. A reference is good until the next take().
template <class T>
class Slots {
 public:
  std::uint32_t take() {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(all_.size()));
      all_.emplace_back();
    }
    const std::uint32_t number = free_.back();
    free_.pop_back();
    all_[number] = T{};
    return number;
  }
  void give_back(std::uint32_t number) { free_.push_back(number); }
  T& operator[](std::uint32_t number) { return all_[number]; }
  std::size_t in_use() const { return all_.size() - free_.size(); }

 private:
  std::vector<T> all_;
  std::vector<std::uint32_t> free_;
};

}  // namespace iommusim::bus
