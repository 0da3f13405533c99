// SPDX-License-Identifier: Apache-2.0
#include "conformance/values.h"

#include <nlohmann/json.hpp>

#include "base/bits.h"
#include "base/choice.h"
#include "base/error.h"

namespace iommusim::conformance {

using nlohmann::json;

std::uint64_t number(const json& value) {
  if (value.is_number()) return value.get<std::uint64_t>();
  return std::stoull(value.get<std::string>(), nullptr, 16);
}

std::optional<std::uint64_t> optional_number(const json& value) {
  if (value.is_null()) return std::nullopt;
  return number(value);
}

std::vector<std::uint8_t> byte_string(const json& value) {
  const std::string text = value;
  std::vector<std::uint8_t> bytes(text.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(std::stoul(text.substr(2 * i, 2), nullptr, 16));
  return bytes;
}

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

namespace {

spec::DdtMode mode_named(const std::string& name) {
  const auto* row = base::find_choice(spec::kDdtModes, name);
  if (row == nullptr) throw base::InputError("unknown ddtp mode '" + name + "'");
  return row->value;
}

std::uint32_t log2_of(const json& size) { return base::log2_floor(number(size)); }

/// The sizes are listed by the largest mode that a stage supports.
void set_bare_sizes(const json& sizes, spec::Implementation& i) {
  i.first_bare_log2 = log2_of(sizes.at(i.sv57 ? "sv57" : i.sv48 ? "sv48" : i.sv39 ? "sv39" : "sv32"));
  i.second_bare_log2 = log2_of(sizes.at(i.sv57x4 ? "sv57x4" : i.sv48x4 ? "sv48x4" : i.sv39x4 ? "sv39x4" : "sv32x4"));
}

}  // namespace

spec::Implementation implementation_of(const json& reset) {
  const auto value = [&reset](const char* name) { return static_cast<std::uint32_t>(number(reset.at(name))); };
  spec::Implementation implementation;
  implementation.set_capabilities(number(reset.at("capabilities")));
  implementation.fctl = value("fctl");
  implementation.reset_mode = mode_named(reset.at("reset_mode"));
  implementation.max_mode = mode_named(reset.at("max_mode"));
  implementation.device_id_mask = value("device_id_mask");
  implementation.num_hpm = value("num_hpm");
  implementation.hpm_counter_bits = value("hpm_counter_bits");
  implementation.hpm_event_limit = value("hpm_event_limit");
  implementation.vector_bits = value("vector_bits");
  implementation.gxl_writeable = value("gxl_writeable") != 0;
  implementation.be_writeable = value("be_writeable") != 0;
  implementation.qosid_mask = value("qosid_mask");
  implementation.itags = value("itags");
  set_bare_sizes(reset.at("bare_size"), implementation);
  return implementation;
}

translate::Request request_of(const json& operation) {
  translate::Request request;
  const std::string type = operation.at("at");
  request.type = type == "untranslated" ? translate::AddressType::kUntranslated
                 : type == "translated" ? translate::AddressType::kTranslated
                                        : translate::AddressType::kAtsRequest;
  const bool is_ats = request.type == translate::AddressType::kAtsRequest;
  request.access = !is_ats && operation.at("access") == "write" ? translate::Access::kWrite : translate::Access::kRead;
  request.device = base::DeviceId(static_cast<std::uint32_t>(number(operation.at("device_id"))));
  if (const auto process = optional_number(operation.at("process_id"))) {
    request.process_valid = true;
    request.process = base::ProcessId(static_cast<std::uint32_t>(*process));
  }
  request.execute = number(operation.at("exec")) != 0;
  request.privileged = number(operation.at("priv")) != 0;
  request.no_write = number(operation.at("no_write")) != 0;
  request.cxl = number(operation.at("cxl")) != 0;
  request.iova = base::Iova(number(operation.at("iova")));
  request.bytes = static_cast<std::uint32_t>(number(operation.at("length")));
  return request;
}

translate::DeviceFunction function_of(const json& operation) {
  translate::DeviceFunction function;
  function.rid = static_cast<std::uint16_t>(number(operation.at("rid")));
  if (const auto segment = optional_number(operation.at("segment"))) {
    function.segment_valid = true;
    function.segment = static_cast<std::uint8_t>(*segment);
  }
  return function;
}

std::string message_text(const translate::DeviceMessage& message) {
  const bool response = message.kind == translate::DeviceMessage::Kind::kPageResponse;
  std::string text = response ? "prg_response to " : "invalidation_request to ";
  text += hex(message.function.rid);
  if (message.function.segment_valid) text += " segment " + hex(message.function.segment);
  if (message.process_valid) text += " pasid " + hex(message.process.value);
  return text + " payload " + hex(message.payload);
}

const char* status_text(translate::Response response) {
  switch (response) {
    case translate::Response::kSuccess:
      return "success";
    case translate::Response::kUnsupportedRequest:
      return "unsupported_request";
    case translate::Response::kCompleterAbort:
      return "completer_abort";
  }
  return "?";
}

const char* pbmt_text(unsigned pbmt) {
  constexpr const char* kNames[] = {"pma", "nc", "io", "?"};
  return kNames[pbmt & 3];
}

}  // namespace iommusim::conformance
