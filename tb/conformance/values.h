// SPDX-License-Identifier: Apache-2.0
// Operations of the vector format to and from the model's types (FORMAT.md section 4).
#pragma once

#include "conformance/operation.h"
#include "spec/parameters.h"
#include "translate/device_message.h"
#include "translate/translation.h"

namespace iommusim::conformance {

/// The parameters of an op reset (FORMAT.md 4.2).
spec::Implementation implementation_of(const Operation& reset);
/// Name of a parameter whose value the model cannot take on (FORMAT.md 4.2: the section is then skipped), or nothing.
std::string out_of_range(spec::Implementation implementation);
/// The request of an op translate (FORMAT.md 4.8).
translate::Request request_of(const Operation& operation);
/// The register of an op reg_write or reg_read (FORMAT.md 4.6).
struct RegisterAccess {
  std::uint32_t offset = 0;
  unsigned bytes = 0;
};
RegisterAccess register_access_of(const Operation& operation);
/// rid and segment of a message.
translate::DeviceFunction function_of(const Operation& operation);
/// The message of an op page_request (FORMAT.md 4.9).
translate::PageRequest page_request_of(const Operation& operation);
/// The message of an op expect_msg; the ITAG is free.
translate::DeviceMessage message_of(const Operation& operation);

std::string message_text(const translate::DeviceMessage& message);
const char* status_text(translate::Response response);
const char* pbmt_text(unsigned pbmt);

}  // namespace iommusim::conformance
