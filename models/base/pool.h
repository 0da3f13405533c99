// SPDX-License-Identifier: Apache-2.0
// A pool of equal objects with checked handles: a handle carries the generation of its slot, so the use of one that was
// given back stops the run instead of reading somebody else's object. Grows in blocks (addresses stay), never shrinks.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "base/error.h"

namespace iommusim::base {

/// Names one object of one pool; 0 is "none".
template <class T>
struct Handle {
  std::uint32_t index = 0;
  std::uint32_t generation = 0;
  explicit operator bool() const { return generation != 0; }
  friend bool operator==(Handle a, Handle b) { return a.index == b.index && a.generation == b.generation; }
  friend bool operator!=(Handle a, Handle b) { return !(a == b); }
};

template <class T>
class Pool {
 public:
  /// Takes a slot; the object in it is value-initialised anew.
  Handle<T> take() {
    if (free_.empty()) {
      slots_.emplace_back();
      free_.push_back(static_cast<std::uint32_t>(slots_.size() - 1));
    }
    const std::uint32_t index = free_.back();
    free_.pop_back();
    Slot& slot = slots_[index];
    slot.value = T{};
    ++slot.generation;  // odd: in use
    return {index, slot.generation};
  }
  /// Gives the slot back; the handle and its copies are dead afterwards.
  void give_back(Handle<T> handle) {
    (void)get(handle);
    ++slots_[handle.index].generation;
    free_.push_back(handle.index);
  }
  T& get(Handle<T> handle) {
    ensure(handle.index < slots_.size() && slots_[handle.index].generation == handle.generation && handle.generation,
           "use of a pool handle that was given back");
    return slots_[handle.index].value;
  }
  std::size_t in_use() const { return slots_.size() - free_.size(); }

  /// Calls `visit(handle, object)` for each object in use, in slot order.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (std::uint32_t i = 0; i < slots_.size(); ++i)
      if (slots_[i].generation % 2 == 1) visit(Handle<T>{i, slots_[i].generation}, slots_[i].value);
  }

 private:
  struct Slot {
    T value{};
    std::uint32_t generation = 0;
  };
  std::deque<Slot> slots_;
  std::vector<std::uint32_t> free_;
};

}  // namespace iommusim::base
