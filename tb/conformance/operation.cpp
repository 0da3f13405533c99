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

/// Runs `read`; what the JSON library rejects becomes an InputError that names the member.
template <class Read>
auto member(const char* name, Read&& read) {
  try {
    return read();
  } catch (const std::exception& error) {  // json::exception, or std::stoull's
    throw base::InputError(std::string("member '") + name + "': " + error.what());
  }
}

std::uint64_t number_of(const json& value) {
  if (value.is_boolean()) return value.get<bool>() ? 1 : 0;
  if (value.is_number()) return value.get<std::uint64_t>();
  return std::stoull(value.get<std::string>(), nullptr, 16);
}

}  // namespace

Operation Operation::parse(const std::string& text) {
  try {
    Operation operation;
    operation.content_ = std::make_shared<const Content>(Content{json::parse(text)});
    return operation;
  } catch (const json::exception& error) {
    throw base::InputError(error.what());
  }
}

bool Operation::has(const char* name) const { return content_->object.contains(name); }

std::string Operation::text(const char* name) const {
  return member(name, [&] { return content_->object.at(name).get<std::string>(); });
}

std::uint64_t Operation::number(const char* name) const {
  return member(name, [&] { return number_of(content_->object.at(name)); });
}

std::optional<std::uint64_t> Operation::optional_number(const char* name) const {
  if (!has(name) || content_->object.at(name).is_null()) return std::nullopt;
  return number(name);
}

std::vector<std::uint8_t> Operation::bytes(const char* name) const {
  const std::string digits = text(name);
  std::vector<std::uint8_t> bytes(digits.size() / 2);
  return member(name, [&] {
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<std::uint8_t>(std::stoul(digits.substr(2 * i, 2), nullptr, 16));
    return bytes;
  });
}

std::vector<std::uint64_t> Operation::numbers(const char* name) const {
  return member(name, [&] {
    std::vector<std::uint64_t> numbers;
    for (const json& value : content_->object.at(name)) numbers.push_back(number_of(value));
    return numbers;
  });
}

Operation Operation::object(const char* name) const {
  return member(name, [&] {
    Operation operation;
    operation.content_ = std::make_shared<const Content>(Content{content_->object.at(name)});
    return operation;
  });
}

std::vector<std::string> Operation::allowed(const char* name) const {
  return member(name, [&] {
    const json& object = content_->object;
    const auto as_text = [](const json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); };
    std::vector<std::string> texts;
    if (object.contains("permitted") && object.at("permitted").contains(name))
      for (const json& value : object.at("permitted").at(name)) texts.push_back(as_text(value));
    else
      texts.push_back(as_text(object.at("expect").at(name)));
    return texts;
  });
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
