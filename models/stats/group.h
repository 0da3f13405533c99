// SPDX-License-Identifier: Apache-2.0
// The tree of statistics. A statistic is a member of a group whose initialiser registers it, in the order of
// declaration; the member is the value. Groups do not move, so the path ("iommu.iotlb.hit_rate") is the tree itself.
// A statistic lives as long as its group (both are members of one struct).
#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "base/unit.h"

namespace iommusim::stats {

using base::Unit;

class Counter;
class Derived;
class Histogram;
class Identity;
class Occupancy;
class Ratio;
class Visitor;

/// What a statistic is: printed with every value.
struct Info {
  std::string name;
  Unit unit;
  std::string definition;
};

class Group {
 public:
  // Short names inside a group of one's own, whatever namespace it is in.
  using Counter = stats::Counter;
  using Derived = stats::Derived;
  using Histogram = stats::Histogram;
  using Identity = stats::Identity;
  using Occupancy = stats::Occupancy;
  using Ratio = stats::Ratio;
  using Unit = base::Unit;

  explicit Group(std::string name) : name_(std::move(name)) {}
  /// `parent` walks into this group from now on, until this group ends.
  Group(Group& parent, std::string name);
  ~Group();
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  const std::string& name() const { return name_; }
  std::string path() const;  ///< names from the root, with dots

  /// Shows this group, its statistics and the groups below, in registration order.
  void accept(Visitor& visitor) const;
  /// Back to zero, with the groups below: the warm-up is over. Occupancies keep their level and start a new window at
  /// the time last told to them.
  void reset();
  /// Tells `now` to each occupancy here and below; to be called before values are read. All of them must share the time
  /// base of the caller: with several clocks, call it on the group of each clock.
  void advance(std::uint64_t now);

 private:
  friend class stats::Counter;
  friend class stats::Derived;
  friend class stats::Histogram;
  friend class stats::Identity;
  friend class stats::Occupancy;
  friend class stats::Ratio;
  friend void check_identities(const Group& group);

  struct Entry {
    Info info;
    std::variant<Counter*, Derived*, Ratio*, Histogram*, Occupancy*, Group*> what;
  };
  struct Check {
    std::string law;
    std::function<std::uint64_t()> left;
    std::function<std::uint64_t()> right;
  };
  void add(Entry entry);
  void forget(const Group* child);

  std::string name_;
  Group* parent_ = nullptr;
  std::vector<Entry> entries_;
  std::vector<Check> checks_;
};

/// A law of this group that must hold at the end of every run and of every window: left() == right().
class Identity {
 public:
  Identity(Group& group, std::string law, std::function<std::uint64_t()> left, std::function<std::uint64_t()> right) {
    group.checks_.push_back({std::move(law), std::move(left), std::move(right)});
  }
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;
};

/// Throws base::Contradiction for the first identity here or below that does not hold, with its path and both values.
void check_identities(const Group& group);

}  // namespace iommusim::stats
