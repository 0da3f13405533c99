// SPDX-License-Identifier: Apache-2.0
// One line of a vector file: an object with typed members (FORMAT.md section 2). The JSON library stays behind it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace iommusim::conformance {

class Operation {
 public:
  /// Throws base::InputError when the text is no JSON object.
  static Operation parse(const std::string& text);

  bool has(const char* name) const;
  // The members below must be there and of that type, else base::InputError names them.
  std::string text(const char* name) const;
  /// A text that is one of these.
  std::string choice(const char* name, std::initializer_list<const char*> values) const;
  /// A JSON number or boolean, or a string "0x...".
  std::uint64_t number(const char* name) const;
  /// null, and a member that is not there, are nothing.
  std::optional<std::uint64_t> optional_number(const char* name) const;
  bool flag(const char* name) const { return number(name) != 0; }
  std::vector<std::uint8_t> bytes(const char* name) const;
  std::vector<std::uint64_t> numbers(const char* name) const;
  Operation object(const char* name) const;

  /// What an answer may be: the list of this name in `permitted`, or the member of `expect` alone; as texts.
  std::vector<std::string> allowed(const char* name) const;
  /// As JSON, for messages.
  std::string dump() const;

 private:
  struct Content;
  std::shared_ptr<const Content> content_;
};

std::string byte_text(const std::vector<std::uint8_t>& bytes);
std::string hex(std::uint64_t value);

}  // namespace iommusim::conformance
