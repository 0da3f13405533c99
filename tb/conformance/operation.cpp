// SPDX-License-Identifier: Apache-2.0
#include "conformance/operation.h"

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace iommusim::conformance {

using nlohmann::json;

struct Operation::Content {
  json object;
};

namespace {

[[noreturn]] void expected_member(const char* name, const char* expected, const json& object) {
  const auto found = object.find(name);
  throw base::InputError(std::string("member '") + name + "': expected " + expected + ", found " +
                         (found == object.end() ? "nothing" : found->dump()));
}

const json* member_of(const json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

bool is_hexadecimal(const std::string& digits) {
  return !digits.empty() && digits.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
}

std::optional<std::uint64_t> number_of(const json& value) {
  if (value.is_boolean()) return value.get<bool>() ? 1 : 0;
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  if (text.compare(0, 2, "0x") != 0 || text.size() > 18 || !is_hexadecimal(text.substr(2))) return std::nullopt;
  return std::stoull(text, nullptr, 16);
}

std::string as_text(const json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

}  // namespace

Operation Operation::parse(const std::string& text) {
  json object = json::parse(text, nullptr, false);
  if (!object.is_object()) throw base::InputError("expected a JSON object on a line of its own");
  Operation operation;
  operation.content_ = std::make_shared<const Content>(Content{std::move(object)});
  return operation;
}

bool Operation::has(const char* name) const { return content_->object.contains(name); }

std::string Operation::text(const char* name) const {
  const json* value = member_of(content_->object, name);
  if (value == nullptr || !value->is_string()) expected_member(name, "a string", content_->object);
  return value->get<std::string>();
}

std::string Operation::choice(const char* name, std::initializer_list<const char*> values) const {
  const json* value = member_of(content_->object, name);
  std::string expected;
  for (const char* allowed : values) {
    if (value != nullptr && *value == allowed) return allowed;
    expected += (expected.empty() ? "" : " or ") + std::string(allowed);
  }
  expected_member(name, expected.c_str(), content_->object);
}

std::uint64_t Operation::number(const char* name) const {
  const json* value = member_of(content_->object, name);
  const auto number = value == nullptr ? std::nullopt : number_of(*value);
  if (!number) expected_member(name, "a number of 64 bits or \"0x...\"", content_->object);
  return *number;
}

std::optional<std::uint64_t> Operation::optional_number(const char* name) const {
  if (!has(name) || content_->object.at(name).is_null()) return std::nullopt;
  return number(name);
}

std::vector<std::uint8_t> Operation::bytes(const char* name) const {
  const std::string digits = text(name);
  if (!is_hexadecimal(digits) || digits.size() % 2 != 0)
    expected_member(name, "hexadecimal digits, two a byte", content_->object);
  std::vector<std::uint8_t> bytes(digits.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(std::stoul(digits.substr(2 * i, 2), nullptr, 16));
  return bytes;
}

std::vector<std::uint64_t> Operation::numbers(const char* name) const {
  const json* value = member_of(content_->object, name);
  if (value == nullptr || !value->is_array()) expected_member(name, "a list of numbers", content_->object);
  std::vector<std::uint64_t> numbers;
  for (const json& element : *value) {
    const auto number = number_of(element);
    if (!number) expected_member(name, "a list of numbers", content_->object);
    numbers.push_back(*number);
  }
  return numbers;
}

Operation Operation::object(const char* name) const {
  const json* value = member_of(content_->object, name);
  if (value == nullptr || !value->is_object()) expected_member(name, "an object", content_->object);
  Operation operation;
  operation.content_ = std::make_shared<const Content>(Content{*value});
  return operation;
}

std::vector<std::string> Operation::allowed(const char* name) const {
  const json* permitted = member_of(content_->object, "permitted");
  const json* values = permitted == nullptr ? nullptr : member_of(*permitted, name);
  if (values == nullptr) {
    const Operation expect = object("expect");
    const json* value = member_of(expect.content_->object, name);
    if (value == nullptr) expected_member(name, "a value in 'expect'", content_->object);
    return {as_text(*value)};
  }
  std::vector<std::string> texts;
  for (const json& value : *values) texts.push_back(as_text(value));
  return texts;
}

std::string Operation::dump() const { return content_->object.dump(); }

std::string byte_text(const std::vector<std::uint8_t>& bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

std::string hex(std::uint64_t value) {
  std::string digits;
  do digits.insert(digits.begin(), "0123456789abcdef"[value & 15]);
  while ((value >>= 4) != 0);
  return "0x" + digits;
}

}  // namespace iommusim::conformance
