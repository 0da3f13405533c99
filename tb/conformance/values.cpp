// SPDX-License-Identifier: Apache-2.0
#include "conformance/values.h"

#include "base/bits.h"
#include "base/choice.h"
#include "base/error.h"
#include "params/describe.h"

namespace iommusim::conformance {
namespace {

spec::DdtMode mode_of(const Operation& reset, const char* name) {
  const std::string mode = reset.choice(name, {"off", "bare", "1lvl", "2lvl", "3lvl"});
  return base::find_choice(spec::kDdtModes, mode)->value;
}

/// The sizes are listed by the largest mode that a stage supports.
void set_bare_sizes(const Operation& sizes, spec::Implementation& i) {
  const char* first = i.sv57 ? "sv57" : i.sv48 ? "sv48" : i.sv39 ? "sv39" : "sv32";
  const char* second = i.sv57x4 ? "sv57x4" : i.sv48x4 ? "sv48x4" : i.sv39x4 ? "sv39x4" : "sv32x4";
  const auto log2_of = [&sizes](const char* name) {
    const std::uint64_t size = sizes.number(name);
    if (!base::is_power_of_two(size) || size < 4096)
      throw base::InputError(std::string("member '") + name + "': expected a power of two, 0x1000 or more");
    return base::log2_floor(size);
  };
  i.first_bare_log2 = log2_of(first);
  i.second_bare_log2 = log2_of(second);
}

}  // namespace

spec::Implementation implementation_of(const Operation& reset) {
  const auto value = [&reset](const char* name) { return static_cast<std::uint32_t>(reset.number(name)); };
  spec::Implementation implementation;
  implementation.set_capabilities(reset.number("capabilities"));
  implementation.fctl = value("fctl");
  implementation.reset_mode = mode_of(reset, "reset_mode");
  implementation.max_mode = mode_of(reset, "max_mode");
  implementation.device_id_mask = value("device_id_mask");
  implementation.num_hpm = value("num_hpm");
  implementation.hpm_counter_bits = value("hpm_counter_bits");
  implementation.hpm_event_limit = value("hpm_event_limit");
  implementation.vector_bits = value("vector_bits");
  implementation.gxl_writeable = reset.flag("gxl_writeable");
  implementation.be_writeable = reset.flag("be_writeable");
  implementation.qosid_mask = value("qosid_mask");
  implementation.itags = value("itags");
  set_bare_sizes(reset.object("bare_size"), implementation);
  return implementation;
}

std::string out_of_range(spec::Implementation implementation) {
  if (!implementation.hpm) implementation.hpm_counter_bits = spec::Implementation{}.hpm_counter_bits;  // there is none
  for (const params::Field& field : params::fields_of(implementation))
    if (const auto* const* value = std::get_if<std::uint32_t*>(&field.slot))
      if (**value < field.range.lowest || **value > field.range.highest)
        return std::string(field.name) + " = " + std::to_string(**value);
  return {};
}

translate::Request request_of(const Operation& operation) {
  translate::Request request;
  const std::string type = operation.choice("at", {"untranslated", "translated", "ats_request"});
  request.type = type == "untranslated" ? translate::AddressType::kUntranslated
                 : type == "translated" ? translate::AddressType::kTranslated
                                        : translate::AddressType::kAtsRequest;
  const bool is_ats = request.type == translate::AddressType::kAtsRequest;
  request.access = !is_ats && operation.choice("access", {"read", "write"}) == "write" ? translate::Access::kWrite
                                                                                       : translate::Access::kRead;
  request.device = base::DeviceId(static_cast<std::uint32_t>(operation.number("device_id")));
  const auto process = operation.optional_number("process_id");
  request.process_valid = process.has_value();
  request.process = base::ProcessId(static_cast<std::uint32_t>(process.value_or(0)));
  request.execute = operation.flag("exec");
  request.privileged = operation.flag("priv");
  request.no_write = operation.flag("no_write");
  request.cxl = operation.flag("cxl");
  request.iova = base::Iova(operation.number("iova"));
  const std::uint64_t length = operation.number("length");
  if (length == 0 || length > base::kPageSize - (request.iova.value & (base::kPageSize - 1)))
    throw base::InputError("member 'length': expected 1 or more bytes within one 4 KiB page");
  request.bytes = static_cast<std::uint32_t>(length);
  return request;
}

RegisterAccess register_access_of(const Operation& operation) {
  const std::uint64_t offset = operation.number("offset");
  const std::uint64_t bytes = operation.number("size");
  if (offset >= 4096) throw base::InputError("member 'offset': expected less than 0x1000");
  if (bytes != 4 && bytes != 8) throw base::InputError("member 'size': expected 4 or 8");
  return {static_cast<std::uint32_t>(offset), static_cast<unsigned>(bytes)};
}

translate::DeviceFunction function_of(const Operation& operation) {
  translate::DeviceFunction function;
  function.rid = static_cast<std::uint16_t>(operation.number("rid"));
  const auto segment = operation.optional_number("segment");
  function.segment_valid = segment.has_value();
  function.segment = static_cast<std::uint8_t>(segment.value_or(0));
  return function;
}

translate::PageRequest page_request_of(const Operation& operation) {
  translate::PageRequest request;
  request.function = function_of(operation);
  const auto process = operation.optional_number("pasid");
  request.process_valid = process.has_value();
  request.process = base::ProcessId(static_cast<std::uint32_t>(process.value_or(0)));
  request.privileged = operation.flag("priv");
  request.execute = operation.flag("exec");
  request.payload = operation.number("payload");
  return request;
}

translate::DeviceMessage message_of(const Operation& operation) {
  translate::DeviceMessage message;
  message.kind = operation.choice("msg", {"prg_response", "invalidation_request"}) == "prg_response"
                     ? translate::DeviceMessage::Kind::kPageResponse
                     : translate::DeviceMessage::Kind::kInvalidationRequest;
  message.function = function_of(operation);
  const auto process = operation.optional_number("pasid");
  message.process_valid = process.has_value();
  message.process = base::ProcessId(static_cast<std::uint32_t>(process.value_or(0)));
  message.payload = operation.number("payload");
  return message;
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
