// SPDX-License-Identifier: Apache-2.0
// Documents derived from a parameter group: the list behind `iommusim params` (text, JSON, Markdown) and a JSON schema.
// A default that lies outside its own range, or a name that occurs twice, is a contradiction.
#pragma once

#include "params/describe.h"

namespace iommusim::params {

/// One parameter in words. Elements of named groups have "<name>" in their path.
struct Description {
  std::string path;
  std::string type;  ///< bool, u32, u64, i64, real, string, choice, or "list of ..."
  std::string unit;  ///< empty for what is not a number
  std::string default_value;
  std::string range;  ///< "1..64"; empty for what is not a number
  std::vector<std::string> choices;
  std::string text;
};

std::vector<Description> describe_fields(const std::vector<Field>& fields);
std::string to_text(const std::vector<Description>& descriptions);
std::string to_markdown(const std::vector<Description>& descriptions);
std::string to_json(const std::vector<Description>& descriptions);
std::string fields_to_json_schema(const std::vector<Field>& fields);

template <class T>
std::vector<Description> descriptions() {
  T defaults{};
  return describe_fields(fields_of(defaults));
}

template <class T>
std::string to_markdown() {
  return to_markdown(descriptions<T>());
}

template <class T>
std::string to_json_schema() {
  T defaults{};
  return fields_to_json_schema(fields_of(defaults));
}

}  // namespace iommusim::params
