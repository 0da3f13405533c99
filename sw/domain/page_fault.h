// SPDX-License-Identifier: Apache-2.0
// Page faults of devices that can wait for software (PCIe PRI): what a driver collects, who handles it, and the answer.
// A device waits for one answer to a whole group; it then tries all pages of the group again, or gives them up.
#pragma once

#include <cstdint>
#include <vector>

namespace iommusim::domain {

/// A page that the device wants to access.
struct PageFault {
  std::uint64_t iova = 0;
  bool read = false, write = false, execute = false, privileged = false;
  std::uint32_t more_permissions = 0;  ///< bits 4 and up of what the device asked for, if it has any
};

/// A complete group: it came with its last request, and nothing of it was lost on the way.
struct PageFaultGroup {
  std::uint32_t device_id = 0;
  bool process_valid = false;
  std::uint32_t process_id = 0;
  std::uint32_t index = 0;  ///< the device's name for the group
  std::vector<PageFault> pages;
};

enum class PageAnswer : std::uint8_t {
  kSuccess,  ///< what could be done was done: try again
  kInvalid,  ///< there is no such page: give up
  kFailure,  ///< page requests are broken: give up, and ask for no other page
};

class PageFaultHandler {
 public:
  virtual ~PageFaultHandler() = default;
  /// In a thread of the driver, which handles no other fault meanwhile: must not wait for hardware or for another
  /// fault. Each group is owed one Device::answer_page_fault(), from within or later, from any thread.
  virtual void page_fault(const PageFaultGroup& group) = 0;
};

}  // namespace iommusim::domain
