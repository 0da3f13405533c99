// SPDX-License-Identifier: Apache-2.0
// A window of the address space as alternating used and free spans: used is what an interval of any of several trees
// covers. Intervals that touch or overlap, of one tree or of different ones, make one used span. A tree is anything
// with used_through(address) and next_start(address). The trees must not change during a walk.
#pragma once

#include <algorithm>
#include <optional>
#include <tuple>

#include "pagetable/interval.h"

namespace iommusim::pagetable {

struct Span {
  Interval range;
  bool used = false;
};

template <class... Trees>
class SpanWalk {
 public:
  explicit SpanWalk(const Interval& window, const Trees&... trees)
      : trees_(trees...), next_(window.start), last_(window.last), done_(window.start > window.last) {}

  /// The next span from low to high, cut at the window; nothing at the end.
  std::optional<Span> next() {
    if (done_) return std::nullopt;
    Span span{{next_, last_}, false};
    if (const auto end = used_end(next_)) {
      span = {{next_, std::min(*end, last_)}, true};
    } else if (const auto start = next_used(next_)) {
      span.range.last = std::min(*start - 1, last_);
    }
    done_ = span.range.last == last_;
    next_ = span.range.last + 1;
    return span;
  }

 private:
  std::optional<std::uint64_t> used_end(std::uint64_t address) const {
    std::optional<std::uint64_t> end;
    while (const auto further = std::apply([&](const Trees&... tree) { return furthest(address, tree...); }, trees_)) {
      end = further;
      if (*further >= last_) break;
      address = *further + 1;
    }
    return end;
  }

  std::optional<std::uint64_t> next_used(std::uint64_t address) const {
    std::optional<std::uint64_t> lowest;
    const auto look = [&](const auto& tree) {
      const auto start = tree.next_start(address);
      if (start && (!lowest || *start < *lowest)) lowest = start;
    };
    std::apply([&](const Trees&... tree) { (look(tree), ...); }, trees_);
    return lowest;
  }

  template <class... T>
  static std::optional<std::uint64_t> furthest(std::uint64_t address, const T&... tree) {
    std::optional<std::uint64_t> best;
    const auto look = [&](const auto& one) {
      const auto end = one.used_through(address);
      if (end && (!best || *end > *best)) best = end;
    };
    (look(tree), ...);
    return best;
  }

  std::tuple<const Trees&...> trees_;
  std::uint64_t next_;
  std::uint64_t last_;
  bool done_;
};

}  // namespace iommusim::pagetable
