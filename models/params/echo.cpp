// SPDX-License-Identifier: Apache-2.0
#include "params/echo.h"

#include <nlohmann/json.hpp>

#include "params/quantity.h"
#include "params/value.h"

namespace iommusim::params {

namespace {

std::string yaml_scalar(bool value) { return value ? "true" : "false"; }
std::string yaml_scalar(std::uint32_t value) { return std::to_string(value); }
std::string yaml_scalar(std::uint64_t value) { return std::to_string(value); }
std::string yaml_scalar(std::int64_t value) { return std::to_string(value); }
std::string yaml_scalar(double value) { return to_string(value); }
std::string yaml_scalar(const std::string& value) { return quote(value); }

/// Quoted where YAML would not read the name back as text.
std::string yaml_key(const std::string& name) {
  return is_name(name) && name != "null" && name != "Null" && name != "NULL" ? name : quote(name);
}

class YamlWriter {
 public:
  void write(const std::vector<Field>& fields, std::size_t depth) {
    for (const Field& field : fields) {
      text_ += std::string(2 * depth, ' ') + field.name + ':';
      std::visit([this, depth](const auto& slot) { value(slot, depth + 1); }, field.slot);
    }
  }
  std::string take() { return text_.empty() ? "{}\n" : std::move(text_); }

 private:
  template <class T>
  void value(const T* slot, std::size_t /*depth*/) {
    text_ += ' ' + yaml_scalar(*slot) + '\n';
  }
  template <class T>
  void value(const std::vector<T>* slot, std::size_t /*depth*/) {
    text_ += " [";
    for (std::size_t i = 0; i < slot->size(); ++i) text_ += (i == 0 ? "" : ", ") + yaml_scalar((*slot)[i]);
    text_ += "]\n";
  }
  void value(const ChoiceSlot& slot, std::size_t /*depth*/) { text_ += std::string(" ") + chosen_name(slot) + '\n'; }
  void value(const GroupSlot& slot, std::size_t depth) {
    text_ += slot.fields.empty() ? " {}\n" : "\n";
    write(slot.fields, depth);
  }
  void value(const MapSlot& slot, std::size_t depth) {
    const std::vector<std::string> names = slot.names();
    text_ += names.empty() ? " {}\n" : "\n";
    for (const std::string& name : names) {
      text_ += std::string(2 * depth, ' ') + yaml_key(name) + ':';
      value(GroupSlot{slot.element(name)}, depth + 1);
    }
  }
  std::string text_;
};

using Json = nlohmann::ordered_json;

struct JsonOf {
  template <class T>
  Json operator()(const T* slot) const {
    return *slot;
  }
  Json operator()(const ChoiceSlot& slot) const { return chosen_name(slot); }
  Json operator()(const GroupSlot& slot) const { return object(slot.fields); }
  Json operator()(const MapSlot& slot) const {
    Json out = Json::object();
    for (const std::string& name : slot.names()) out[name] = object(slot.element(name));
    return out;
  }
  static Json object(const std::vector<Field>& fields) {
    Json out = Json::object();
    for (const Field& field : fields) out[field.name] = std::visit(JsonOf{}, field.slot);
    return out;
  }
};

}  // namespace

std::string fields_to_yaml(const std::vector<Field>& fields) {
  YamlWriter writer;
  writer.write(fields, 0);
  return writer.take();
}

std::string fields_to_json(const std::vector<Field>& fields) {
  return JsonOf::object(fields).dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace iommusim::params
