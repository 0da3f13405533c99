// SPDX-License-Identifier: Apache-2.0
// JSON Schema (2020-12) of a parameter group, for editors. It accepts what assign() accepts, except that the range of a
// number with a unit suffix is not checked by it.
#include <nlohmann/json.hpp>

#include "params/document.h"
#include "params/quantity.h"
#include "params/value.h"

namespace iommusim::params {

namespace {

using SchemaJson = nlohmann::ordered_json;

SchemaJson object_schema(const std::vector<Field>& fields);

SchemaJson number_schema(const Field& field) {
  const Range range = effective_range(field);
  SchemaJson bare{{"type", is_real(field) ? "number" : "integer"}};
  if (is_real(field)) {
    bare["minimum"] = range.lowest_real;
    bare["maximum"] = range.highest_real;
  } else {
    if (range.lowest < 0)
      bare["minimum"] = static_cast<std::int64_t>(range.lowest);
    else
      bare["minimum"] = static_cast<std::uint64_t>(range.lowest);
    bare["maximum"] = static_cast<std::uint64_t>(range.highest);
    if (range.highest < 0) bare["maximum"] = static_cast<std::int64_t>(range.highest);
  }
  const std::string suffixes = suffix_pattern(field.unit);
  std::string pattern = "^[-+]?(";
  if (!is_real(field)) pattern += "0[xX][0-9a-fA-F]+|";
  pattern += "([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][-+]?[0-9]+)?)";
  if (!suffixes.empty()) pattern += " *(" + suffixes + ")?";
  return {{"anyOf", {bare, {{"type", "string"}, {"pattern", pattern + "$"}}}}};
}

struct SchemaOf {
  const Field& field;

  SchemaJson operator()(const bool* /*slot*/) const { return {{"type", "boolean"}}; }
  SchemaJson operator()(const std::string* /*slot*/) const { return {{"type", "string"}}; }
  template <class T>
  SchemaJson operator()(const T* /*slot*/) const {
    return number_schema(field);
  }
  template <class T>
  SchemaJson operator()(const std::vector<T>* /*slot*/) const {
    return {{"type", "array"}, {"items", (*this)(static_cast<const T*>(nullptr))}};
  }
  SchemaJson operator()(const ChoiceSlot& slot) const {
    SchemaJson names = SchemaJson::array();
    for (const ChoiceRow& row : slot.rows) names.push_back(row.name);
    return {{"enum", names}};
  }
  SchemaJson operator()(const GroupSlot& slot) const { return object_schema(slot.fields); }
  SchemaJson operator()(const MapSlot& slot) const {
    return {{"type", {"object", "null"}},
            {"propertyNames", {{"pattern", "^[A-Za-z0-9][A-Za-z0-9_-]*$"}}},
            {"additionalProperties", object_schema(slot.prototype)}};
  }
};

SchemaJson object_schema(const std::vector<Field>& fields) {
  SchemaJson properties = SchemaJson::object();
  for (const Field& field : fields) {
    SchemaJson schema = std::visit(SchemaOf{field}, field.slot);
    schema["description"] = field.text;
    properties[field.name] = std::move(schema);
  }
  return {{"type", {"object", "null"}}, {"properties", properties}, {"additionalProperties", false}};
}

}  // namespace

std::string fields_to_json_schema(const std::vector<Field>& fields) {
  SchemaJson out{{"$schema", "https://json-schema.org/draft/2020-12/schema"}};
  out.update(object_schema(fields));
  return out.dump(1) + '\n';
}

}  // namespace iommusim::params
