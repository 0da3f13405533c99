// SPDX-License-Identifier: Apache-2.0
// Which fault queue gets a page fault of a device: that of the page table which the faulting request goes through. A
// fault of a PASID that has no attachment of its own belongs to the device's nested page table, if it has one, since
// the guest keeps the PASIDs then. Nobody's faults are answered kInvalid.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "domain/domain.h"
#include "hal/os.h"

namespace iommusim::iommufd {

class Device;
class Fault;
class Hwpt;

/// All functions but page_fault() are serialised by the lock of the device's group.
class PageFaultRouter final : private domain::PageFaultHandler {
 public:
  PageFaultRouter(hal::Os& os, Device& device) : device_(device), lock_(os.make_mutex()) {}

  /// From here on faults through the attachment of `pasid` (0: none) go where `hwpt` says; makes the device able to
  /// have them, if need be. EINVAL (R4.7), or what the driver says. May throw std::bad_alloc, but not for an attachment
  /// that has a route already and a page table that had one before.
  int route(std::uint32_t pasid, Hwpt& hwpt);
  void unroute(std::uint32_t pasid);
  /// After a change: if no route leads to a fault queue now, the driver need not collect faults any more.
  void settle();

 private:
  struct Route {
    Fault* fault = nullptr;
    bool nested = false;
  };
  void page_fault(const domain::PageFaultGroup& group) override;
  bool deliver(const domain::PageFaultGroup& group);

  Device& device_;
  bool enabled_ = false;              // the driver calls page_fault()
  std::unique_ptr<hal::Mutex> lock_;  // held while a unit is put into a queue, so a route that ended gives no more
  std::map<std::uint32_t, Route> routes_;
};

}  // namespace iommusim::iommufd
