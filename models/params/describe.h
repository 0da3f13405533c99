// SPDX-License-Identifier: Apache-2.0
// Parameters declared once. A group is a plain struct of fields with initialisers and a static `describe(visitor)` that
// names each field in a line; fields_of() flattens it into a list without types. A field that has no line fails the
// build: the number of lines is compared with the number of fields that aggregate initialisation accepts.
#pragma once

#include <map>
#include <type_traits>
#include <utility>

#include "base/choice.h"
#include "params/field.h"

namespace iommusim::params {

namespace detail {

struct Anything {
  template <class T>
  operator T() const;  // never defined: used in unevaluated operands only
};

template <class T, class = void, class... Fields>
struct BraceInitialisable : std::false_type {};
template <class T, class... Fields>
struct BraceInitialisable<T, std::void_t<decltype(T{std::declval<Fields>()...})>, Fields...> : std::true_type {};

template <class T, class... Fields>
constexpr std::size_t count_fields() {
  if constexpr (BraceInitialisable<T, void, Fields..., Anything>::value)
    return count_fields<T, Fields..., Anything>();
  else
    return sizeof...(Fields);
}

struct LineCounter {
  std::size_t lines = 0;
  template <class... Arguments>
  constexpr void operator()(const Arguments&...) {
    ++lines;
  }
  template <class... Arguments>
  constexpr void group(const Arguments&...) {
    ++lines;
  }
  template <class... Arguments>
  constexpr void named_groups(const Arguments&...) {
    ++lines;
  }
  template <class... Arguments>
  constexpr void list(const Arguments&...) {
    ++lines;
  }
};

}  // namespace detail

/// Fields of the aggregate T, at any type but C arrays (their elements would count).
template <class T>
constexpr std::size_t field_count() {
  return detail::count_fields<T>();
}

/// Lines of T::describe().
template <class T>
constexpr std::size_t described_count() {
  detail::LineCounter counter;
  T::describe(counter);
  return counter.lines;
}

template <class T>
std::vector<Field> fields_of(T& object);

namespace detail {

/// The visitor behind fields_of().
template <class Group>
class Binder {
 public:
  explicit Binder(Group& object) : object_(object) {}

  template <class Number>
  void operator()(const char* name, Number Group::*member, Unit unit, Range range, const char* text) {
    fields_.push_back({name, text, unit, range, &(object_.*member)});
  }
  void operator()(const char* name, bool Group::*member, const char* text) { add(name, text, &(object_.*member)); }
  void operator()(const char* name, std::string Group::*member, const char* text) {
    add(name, text, &(object_.*member));
  }
  template <class Enum, std::size_t N>
  void operator()(const char* name, Enum Group::*member, const base::Choice<Enum> (&table)[N], const char* text) {
    ChoiceSlot slot{&(object_.*member), {}, nullptr, nullptr};
    for (const auto& row : table) slot.rows.push_back({row.name, row.help, static_cast<std::int64_t>(row.value)});
    slot.load = [](const void* value) { return static_cast<std::int64_t>(*static_cast<const Enum*>(value)); };
    slot.store = [](void* value, std::int64_t to) { *static_cast<Enum*>(value) = static_cast<Enum>(to); };
    add(name, text, std::move(slot));
  }
  template <class Nested>
  void group(const char* name, Nested Group::*member, const char* text) {
    add(name, text, GroupSlot{fields_of(object_.*member)});
  }
  /// The map must be empty by default, so that the echo of a system says all of it.
  template <class Nested>
  void named_groups(const char* name, std::map<std::string, Nested> Group::*member, const char* text) {
    auto prototype = std::make_shared<Nested>();
    auto* map = &(object_.*member);
    MapSlot slot{fields_of(*prototype), prototype, nullptr, nullptr};
    slot.names = [map] {
      std::vector<std::string> names;
      for (const auto& [key, value] : *map) names.push_back(key);
      return names;
    };
    slot.element = [map](const std::string& key) { return fields_of((*map)[key]); };
    add(name, text, std::move(slot));
  }
  template <class Number>
  void list(const char* name, std::vector<Number> Group::*member, Unit unit, Range range, const char* text) {
    fields_.push_back({name, text, unit, range, &(object_.*member)});
  }
  void list(const char* name, std::vector<std::string> Group::*member, const char* text) {
    add(name, text, &(object_.*member));
  }
  std::vector<Field> take() { return std::move(fields_); }

 private:
  void add(const char* name, const char* text, Slot slot) {
    fields_.push_back({name, text, Unit::kCount, Range{0, 0}, std::move(slot)});
  }
  Group& object_;
  std::vector<Field> fields_;
};

}  // namespace detail

/// The fields of `object`, in the order of describe().
template <class T>
std::vector<Field> fields_of(T& object) {
  static_assert(described_count<T>() == field_count<T>(), "a field of this parameter group is not described");
  detail::Binder<T> binder(object);
  T::describe(binder);
  return binder.take();
}

}  // namespace iommusim::params
