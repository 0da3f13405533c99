// SPDX-License-Identifier: Apache-2.0
// A parameter without its C++ type: name, unit, range, one line, and a pointer to the value it describes. The template
// visitors (describe.h) turn a group into a list of these; everything else (YAML, JSON, documents) is plain code on it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/unit.h"

namespace iommusim::params {

using base::Unit;

/// Inclusive bounds. Integer fields are checked against the integers, real fields against the doubles.
struct Range {
  __int128 lowest;
  __int128 highest;
  double lowest_real;
  double highest_real;
  template <class A, class B>
  constexpr Range(A low, B high)
      : lowest(to_integer(low)),
        highest(to_integer(high)),
        lowest_real(static_cast<double>(low)),
        highest_real(static_cast<double>(high)) {}

 private:
  /// Bounds of real fields may lie beyond every integer.
  template <class T>
  static constexpr __int128 to_integer(T value) {
    constexpr T edge = std::is_floating_point_v<T> ? static_cast<T>(1e30) : T{};
    if constexpr (std::is_floating_point_v<T>) value = value > edge ? edge : value < -edge ? -edge : value;
    return static_cast<__int128>(value);
  }
};

struct Field;

/// One row of a choice table; `value` is the enumerator.
struct ChoiceRow {
  const char* name;
  const char* help;
  std::int64_t value;
};

/// An enumeration with its table; `load` and `store` know the enumeration's type.
struct ChoiceSlot {
  void* value;
  std::vector<ChoiceRow> rows;
  std::int64_t (*load)(const void*);
  void (*store)(void*, std::int64_t);
};

struct GroupSlot {
  std::vector<Field> fields;
};

/// Groups by name. `prototype` describes a default-constructed element that `owner` keeps alive.
struct MapSlot {
  std::vector<Field> prototype;
  std::shared_ptr<void> owner;
  std::function<std::vector<std::string>()> names;
  std::function<std::vector<Field>(const std::string&)> element;  ///< made with its defaults when missing
};

using Slot = std::variant<bool*, std::uint32_t*, std::uint64_t*, std::int64_t*, double*, std::string*, ChoiceSlot,
                          GroupSlot, MapSlot, std::vector<std::uint32_t>*, std::vector<std::uint64_t>*,
                          std::vector<std::int64_t>*, std::vector<double>*, std::vector<std::string>*>;

/// Valid as long as the object it was made from. Unit and range mean something for numbers and lists of numbers only.
struct Field {
  const char* name;
  const char* text;
  Unit unit;
  Range range;
  Slot slot;
};

}  // namespace iommusim::params
