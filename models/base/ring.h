// SPDX-License-Identifier: Apache-2.0
// A first-in first-out queue of fixed capacity. Memory is taken once, at construction: nothing allocates afterwards.
#pragma once

#include <vector>

#include "base/error.h"

namespace iommusim::base {

template <class T>
class Ring {
 public:
  explicit Ring(std::size_t capacity) : slots_(capacity) {}

  bool empty() const { return count_ == 0; }
  bool full() const { return count_ == slots_.size(); }
  std::size_t size() const { return count_; }
  std::size_t capacity() const { return slots_.size(); }

  /// The ring must not be full.
  void push(const T& value) {
    ensure(!full(), "push into a full ring");
    slots_[index(count_)] = value;
    ++count_;
  }
  /// The ring must not be empty.
  T& front() { return slots_[head_]; }
  const T& front() const { return slots_[head_]; }
  void pop() {
    ensure(!empty(), "pop from an empty ring");
    head_ = --count_ == 0 ? 0 : index(1);  // a ring that is often empty stays in few lines of the host's caches
  }
  /// The i-th oldest element, i < size().
  const T& at(std::size_t i) const { return slots_[index(i)]; }
  T& at(std::size_t i) { return slots_[index(i)]; }
  void clear() { head_ = count_ = 0; }

 private:
  std::size_t index(std::size_t offset) const {
    const std::size_t i = head_ + offset;
    return i >= slots_.size() ? i - slots_.size() : i;
  }
  std::vector<T> slots_;
  std::size_t head_ = 0;
  std::size_t count_ = 0;
};

}  // namespace iommusim::base
