// SPDX-License-Identifier: Apache-2.0
// The structures of the C interface from and to those of the model. What comes in is checked: a value out of range is
// an InputError, never a state that the model does not know.
#pragma once

#include "embed/iommusim.h"
#include "translate/device_message.h"
#include "translate/translation.h"

namespace iommusim::embed {

translate::Request to_request(const iommusim_request& request);
iommusim_result to_result(const translate::Outcome& outcome);
translate::DeviceFunction to_function(std::uint32_t device, bool segment_valid);
translate::PageRequest to_page_request(const iommusim_page_request& request);

}  // namespace iommusim::embed
