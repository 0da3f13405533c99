// SPDX-License-Identifier: Apache-2.0
// Values of the vector format (FORMAT.md section 2) to and from the model's types.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "spec/parameters.h"
#include "translate/device_message.h"
#include "translate/request.h"

namespace iommusim::conformance {

/// A JSON number, or a string "0x...".
std::uint64_t number(const nlohmann::json& value);
std::optional<std::uint64_t> optional_number(const nlohmann::json& value);
std::vector<std::uint8_t> byte_string(const nlohmann::json& value);
std::string byte_text(const std::vector<std::uint8_t>& bytes);
std::string hex(std::uint64_t value);

/// The parameters of an op reset (FORMAT.md 4.2).
spec::Implementation implementation_of(const nlohmann::json& reset);
/// The request of an op translate (FORMAT.md 4.8).
translate::Request request_of(const nlohmann::json& operation);

/// rid and segment of a message.
translate::DeviceFunction function_of(const nlohmann::json& operation);
std::string message_text(const translate::DeviceMessage& message);

const char* status_text(translate::Response response);
const char* pbmt_text(unsigned pbmt);

}  // namespace iommusim::conformance
