// SPDX-License-Identifier: Apache-2.0
// The machine without hardware: locks and threads of the host, no device but those that the test command makes.
#pragma once

#include "preload/machine.h"

namespace iommusim::preload {

std::unique_ptr<Machine> make_mock_machine(const Ram& ram, hal::Memory& memory,
                                           const std::vector<std::string>& arguments);

}  // namespace iommusim::preload
