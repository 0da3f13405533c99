// SPDX-License-Identifier: Apache-2.0
// Intervals that may overlap, each with a value: a treap ordered by start whose nodes know the greatest end below them.
// Look-ups take logarithmic time. Priorities come from a counter, so a run repeats exactly. insert() leaves the tree as
// it was when memory is short; removal allocates nothing and cannot fail.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include "pagetable/interval.h"

namespace iommusim::pagetable {

template <class Value>
class IntervalTree {
 public:
  void insert(const Interval& range, Value value) {
    auto node = std::make_unique<Node>(Node{range, std::move(value), next_priority(), range.last, nullptr, nullptr});
    auto [low, high] = split(std::move(root_), range.start);
    root_ = merge(merge(std::move(low), std::move(node)), std::move(high));
  }

  /// Removes every interval for which `doomed(range, value)` holds.
  template <class Predicate>
  void erase_if(Predicate doomed) noexcept {
    root_ = without(std::move(root_), doomed);
  }

  void clear() noexcept { root_.reset(); }
  bool empty() const { return !root_; }
  bool overlaps(const Interval& range) const { return find_overlap(root_.get(), range) != nullptr; }

  /// The end of some interval that contains `address`.
  std::optional<std::uint64_t> used_through(std::uint64_t address) const {
    const Node* node = find_overlap(root_.get(), Interval{address, address});
    return node ? std::optional(node->range.last) : std::nullopt;
  }

  /// The lowest start above `address`.
  std::optional<std::uint64_t> next_start(std::uint64_t address) const {
    std::optional<std::uint64_t> best;
    for (const Node* node = root_.get(); node;) {
      if (node->range.start > address) {
        best = node->range.start;
        node = node->left.get();
      } else {
        node = node->right.get();
      }
    }
    return best;
  }

 private:
  struct Node {
    Interval range;
    Value value;
    std::uint64_t priority;
    std::uint64_t max_last;  // of this subtree
    std::unique_ptr<Node> left, right;
  };
  using Link = std::unique_ptr<Node>;

  std::uint64_t next_priority() {
    std::uint64_t z = ++inserted_ * 0x9E3779B97F4A7C15ULL;  // a mixing step of splitmix64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    return z ^ (z >> 31);
  }

  static void update(Node& node) {
    node.max_last = node.range.last;
    if (node.left) node.max_last = std::max(node.max_last, node.left->max_last);
    if (node.right) node.max_last = std::max(node.max_last, node.right->max_last);
  }

  static std::pair<Link, Link> split(Link node, std::uint64_t start) noexcept {
    if (!node) return {};
    Link other;
    if (node->range.start <= start) {
      std::tie(node->right, other) = split(std::move(node->right), start);
      update(*node);
      return {std::move(node), std::move(other)};
    }
    std::tie(other, node->left) = split(std::move(node->left), start);
    update(*node);
    return {std::move(other), std::move(node)};
  }

  static Link merge(Link low, Link high) noexcept {
    if (!low) return high;
    if (!high) return low;
    if (low->priority > high->priority) {
      low->right = merge(std::move(low->right), std::move(high));
      update(*low);
      return low;
    }
    high->left = merge(std::move(low), std::move(high->left));
    update(*high);
    return high;
  }

  template <class Predicate>
  static Link without(Link node, Predicate& doomed) noexcept {
    if (!node) return node;
    node->left = without(std::move(node->left), doomed);
    node->right = without(std::move(node->right), doomed);
    if (doomed(node->range, node->value)) return merge(std::move(node->left), std::move(node->right));
    update(*node);
    return node;
  }

  static const Node* find_overlap(const Node* node, const Interval& range) {
    while (node) {
      if (node->range.overlaps(range)) return node;
      // An overlap on the left exists iff something there ends late enough: starts only grow to the right.
      node = node->left && node->left->max_last >= range.start ? node->left.get() : node->right.get();
    }
    return nullptr;
  }

  Link root_;
  std::uint64_t inserted_ = 0;
};

}  // namespace iommusim::pagetable
