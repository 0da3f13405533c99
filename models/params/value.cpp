// SPDX-License-Identifier: Apache-2.0
#include "params/value.h"

#include <algorithm>
#include <cctype>
#include <limits>

#include "base/error.h"
#include "params/quantity.h"

namespace iommusim::params {

namespace {

/// Element type of numbers and of lists of numbers; void for the rest.
template <class T>
struct NumberOf {
  using Type = void;
};
template <>
struct NumberOf<std::uint32_t*> {
  using Type = std::uint32_t;
};
template <>
struct NumberOf<std::uint64_t*> {
  using Type = std::uint64_t;
};
template <>
struct NumberOf<std::int64_t*> {
  using Type = std::int64_t;
};
template <>
struct NumberOf<double*> {
  using Type = double;
};
template <class T>
struct NumberOf<std::vector<T>*> : NumberOf<T*> {};

template <class T>
using Number = typename NumberOf<std::decay_t<T>>::Type;

struct TypeName {
  const char* operator()(const bool* /*value*/) const { return "bool"; }
  const char* operator()(const std::uint32_t* /*value*/) const { return "u32"; }
  const char* operator()(const std::uint64_t* /*value*/) const { return "u64"; }
  const char* operator()(const std::int64_t* /*value*/) const { return "i64"; }
  const char* operator()(const double* /*value*/) const { return "real"; }
  const char* operator()(const std::string* /*value*/) const { return "string"; }
  const char* operator()(const ChoiceSlot& /*value*/) const { return "choice"; }
  const char* operator()(const GroupSlot& /*value*/) const { return "group"; }
  const char* operator()(const MapSlot& /*value*/) const { return "map"; }
  const char* operator()(const std::vector<std::uint32_t>* /*value*/) const { return "list of u32"; }
  const char* operator()(const std::vector<std::uint64_t>* /*value*/) const { return "list of u64"; }
  const char* operator()(const std::vector<std::int64_t>* /*value*/) const { return "list of i64"; }
  const char* operator()(const std::vector<double>* /*value*/) const { return "list of real"; }
  const char* operator()(const std::vector<std::string>* /*value*/) const { return "list of string"; }
};

}  // namespace

Range effective_range(const Field& field) {
  Range range = field.range;
  std::visit(
      [&range](const auto& slot) {
        using T = Number<decltype(slot)>;
        if constexpr (std::is_integral_v<T>) {
          range.lowest = std::max(range.lowest, static_cast<__int128>(std::numeric_limits<T>::min()));
          range.highest = std::min(range.highest, static_cast<__int128>(std::numeric_limits<T>::max()));
        }
      },
      field.slot);
  return range;
}

std::string range_text(const Field& field) {
  if (!is_number(field)) return {};
  const Range range = effective_range(field);
  return is_real(field) ? to_string(range.lowest_real) + ".." + to_string(range.highest_real)
                        : to_string(range.lowest) + ".." + to_string(range.highest);
}

std::string type_name(const Field& field) { return std::visit(TypeName{}, field.slot); }

bool is_number(const Field& field) {
  return std::visit([](const auto& slot) { return !std::is_void_v<Number<decltype(slot)>>; }, field.slot);
}

bool is_real(const Field& field) {
  return std::visit([](const auto& slot) { return std::is_same_v<Number<decltype(slot)>, double>; }, field.slot);
}

const char* chosen_name(const ChoiceSlot& slot) {
  const std::int64_t value = slot.load(slot.value);
  for (const ChoiceRow& row : slot.rows)
    if (row.value == value) return row.name;
  base::contradiction("a parameter holds a value that its choice table does not list");
}

bool is_name(const std::string& text) {
  const auto plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  return !text.empty() && plain(text[0]) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return plain(c) || c == '_' || c == '-'; });
}

std::string quote(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      constexpr char kHexDigits[] = "0123456789abcdef";
      out += "\\u00";  // the one form that YAML and JSON share
      out += kHexDigits[byte >> 4];
      out += kHexDigits[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string join_path(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + '.' + name;
}

}  // namespace iommusim::params
