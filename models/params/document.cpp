// SPDX-License-Identifier: Apache-2.0
#include "params/document.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "params/quantity.h"
#include "params/value.h"

namespace iommusim::params {

namespace {

using DocumentJson = nlohmann::ordered_json;

/// The default as text; for numbers it checks the default against the range on the way.
struct DefaultText {
  const Field& field;
  const std::string& path;

  std::string operator()(const bool* value) const { return *value ? "true" : "false"; }
  std::string operator()(const std::string* value) const { return quote(*value); }
  std::string operator()(const double* value) const {
    check(*value >= field.range.lowest_real && *value <= field.range.highest_real);
    return to_string(*value);
  }
  template <class T>
  std::string operator()(const T* value) const {
    check(*value >= field.range.lowest && *value <= field.range.highest);
    return to_string(static_cast<__int128>(*value));
  }
  template <class T>
  std::string operator()(const std::vector<T>* value) const {
    std::string out = "[";
    for (const T& item : *value) out += (out.size() == 1 ? "" : ", ") + (*this)(&item);
    return out + ']';
  }
  std::string operator()(const ChoiceSlot& slot) const { return chosen_name(slot); }
  std::string operator()(const GroupSlot& /*slot*/) const { return {}; }
  std::string operator()(const MapSlot& slot) const {
    if (!slot.names().empty()) base::contradiction("the named groups '" + path + "' are not empty by default");
    return {};
  }
  void check(bool holds) const {
    if (!holds) base::contradiction("the default of parameter '" + path + "' is outside its range");
  }
};

void collect(const std::vector<Field>& fields, const std::string& path, std::vector<Description>& out) {
  for (const Field& field : fields) {
    const std::string inner = join_path(path, field.name);
    if (std::count_if(fields.begin(), fields.end(),
                      [&](const Field& other) { return std::string(other.name) == field.name; }) != 1)
      base::contradiction("two parameters of the name '" + inner + "'");
    const std::string default_value = std::visit(DefaultText{field, inner}, field.slot);
    if (const auto* group = std::get_if<GroupSlot>(&field.slot)) {
      collect(group->fields, inner, out);
      continue;
    }
    if (const auto* map = std::get_if<MapSlot>(&field.slot)) {
      collect(map->prototype, inner + ".<name>", out);
      continue;
    }
    Description row{inner, type_name(field), {}, default_value, range_text(field), {}, field.text};
    if (is_number(field)) row.unit = base::unit_name(field.unit);
    if (const auto* choice = std::get_if<ChoiceSlot>(&field.slot))
      for (const ChoiceRow& each : choice->rows) row.choices.emplace_back(each.name);
    out.push_back(std::move(row));
  }
}

std::string values_text(const Description& row) {
  if (row.choices.empty()) return row.range;
  return fmt::format("{}", fmt::join(row.choices, ", "));
}

}  // namespace

std::vector<Description> describe_fields(const std::vector<Field>& fields) {
  std::vector<Description> out;
  collect(fields, "", out);
  return out;
}

std::string to_text(const std::vector<Description>& descriptions) {
  std::size_t width = 0;
  for (const Description& row : descriptions) width = std::max(width, row.path.size());
  std::string out;
  for (const Description& row : descriptions)
    out += fmt::format("{:<{}}  {:<12} {:<6} {}{}\n", row.path, width, row.default_value, row.unit, row.text,
                       values_text(row).empty() ? "" : " [" + values_text(row) + "]");
  return out;
}

std::string to_markdown(const std::vector<Description>& descriptions) {
  std::string out = "| Parameter | Unit | Default | Range | Meaning |\n|---|---|---|---|---|\n";
  const auto cell = [](std::string text) {
    for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, 1, '\\');
    return text;
  };
  for (const Description& row : descriptions)
    out += fmt::format("| `{}` | {} | {} | {} | {} |\n", cell(row.path), row.unit, cell(row.default_value),
                       cell(values_text(row)), cell(row.text));
  return out;
}

std::string to_json(const std::vector<Description>& descriptions) {
  DocumentJson out = DocumentJson::array();
  for (const Description& row : descriptions)
    out.push_back({{"path", row.path},
                   {"type", row.type},
                   {"unit", row.unit},
                   {"default", row.default_value},
                   {"range", row.range},
                   {"choices", row.choices},
                   {"text", row.text}});
  return out.dump(1) + '\n';
}

}  // namespace iommusim::params
