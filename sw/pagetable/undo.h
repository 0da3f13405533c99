// SPDX-License-Identifier: Apache-2.0
// Takes back a step unless the whole succeeds: the action runs at the end of the scope, whether by return or by
// exception, until keep() is called. The action must not throw.
#pragma once

#include <utility>

namespace iommusim::pagetable {

template <class Action>
class Undo {
 public:
  explicit Undo(Action action) : action_(std::move(action)) {}
  ~Undo() {
    if (armed_) action_();
  }
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;
  void keep() { armed_ = false; }

 private:
  Action action_;
  bool armed_ = true;
};

}  // namespace iommusim::pagetable
