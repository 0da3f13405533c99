// SPDX-License-Identifier: Apache-2.0
// The kinds of statistics. Each registers with its group when constructed and does not move. Counting is a plain add on
// the member; names, units and definitions are kept by the group.
#pragma once

#include <type_traits>

#include "stats/group.h"
#include "stats/histogram_data.h"
#include "stats/occupancy_data.h"

namespace iommusim::stats {

/// A number that only grows.
class Counter {
 public:
  Counter(Group& group, std::string name, Unit unit, std::string definition);
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;

  void operator++() { ++value_; }
  void operator+=(std::uint64_t by) { value_ += by; }
  std::uint64_t value() const { return value_; }

 private:
  friend class Group;
  std::uint64_t value_ = 0;
};

/// A number computed from counters whenever it is read; it grows as they do (for a level, use Occupancy).
class Derived {
 public:
  Derived(Group& group, std::string name, Unit unit, std::string definition, std::function<std::uint64_t()> compute);
  Derived(const Derived&) = delete;
  Derived& operator=(const Derived&) = delete;

  std::uint64_t value() const { return compute_(); }

 private:
  std::function<std::uint64_t()> compute_;
};

/// One side of a ratio: a counter, a derived number, a constant or a callable.
class Operand {
 public:
  Operand(const Counter& counter) : what_(&counter) {}
  Operand(const Derived& derived) : what_(&derived) {}
  Operand(std::uint64_t constant) : what_(constant) {}
  template <class Compute, class = std::enable_if_t<std::is_invocable_r_v<std::uint64_t, const Compute&>>>
  Operand(Compute compute) : what_(std::function<std::uint64_t()>(std::move(compute))) {}
  std::uint64_t value() const;

 private:
  std::variant<const Counter*, const Derived*, std::uint64_t, std::function<std::uint64_t()>> what_;
};

class Ratio {
 public:
  Ratio(Group& group, std::string name, Operand numerator, Operand denominator, std::string definition);
  Ratio(const Ratio&) = delete;
  Ratio& operator=(const Ratio&) = delete;

  std::uint64_t numerator() const { return numerator_.value(); }
  std::uint64_t denominator() const { return denominator_.value(); }

 private:
  Operand numerator_;
  Operand denominator_;
};

class Histogram {
 public:
  Histogram(Group& group, std::string name, Unit unit, std::string definition);
  Histogram(const Histogram&) = delete;
  Histogram& operator=(const Histogram&) = delete;

  void add(std::uint64_t value) { data_.add(value); }
  const HistogramData& data() const { return data_; }

 private:
  friend class Group;
  friend class Occupancy;
  HistogramData data_;
};

/// How many are inside, over time. `limit` as in OccupancyData.
class Occupancy {
 public:
  Occupancy(Group& group, std::string name, Unit unit, std::string definition, std::uint64_t limit = 0);
  Occupancy(const Occupancy&) = delete;
  Occupancy& operator=(const Occupancy&) = delete;

  void set(std::uint64_t now, std::uint64_t level) { data_.set(now, level); }
  void enter(std::uint64_t now) { data_.enter(now); }
  void leave(std::uint64_t now) { data_.leave(now); }
  void set_limit(std::uint64_t limit) { data_.set_limit(limit); }
  /// From now on `levels` says for how long the level was what; it must outlive this.
  void keep_levels(Histogram& levels) { data_.keep_levels(&levels.data_); }
  std::uint64_t level() const { return data_.level(); }
  const OccupancyData& data() const { return data_; }

 private:
  friend class Group;
  OccupancyData data_;
};

}  // namespace iommusim::stats
