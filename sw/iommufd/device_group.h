// SPDX-License-Identifier: Apache-2.0
// The devices of one isolation group in one context, and the page table that they share (R5.2): either none of them is
// attached, or all that are use the same one. Attach, detach and replace of a group are serialised here (R13.4). Holds
// the DMA ownership of the group while it exists.
#pragma once

#include <memory>
#include <vector>

#include "domain/domain.h"
#include "iommufd/host.h"
#include "iommufd/hwpt.h"

namespace iommusim::iommufd {

class DeviceGroup {
 public:
  /// Takes over a claim on the group's DMA.
  DeviceGroup(Host& host, domain::Group& group);
  ~DeviceGroup();
  DeviceGroup(const DeviceGroup&) = delete;
  DeviceGroup& operator=(const DeviceGroup&) = delete;

  /// A device can be bound once. 0 or EBUSY.
  int add(domain::Device& device);
  void remove(domain::Device& device) noexcept;

  /// 0, EBUSY (this device is attached), EINVAL (another one is, to another page table), EADDRINUSE, or what a driver
  /// says.
  int attach(domain::Device& device, UsersRef<HwptPaging> hwpt);
  /// Moves all attached devices. The reference that must be dropped with ObjectTable::drop_or_remove() when no lock is
  /// held is put into `old`, empty if nothing changed.
  int replace(domain::Device& device, UsersRef<HwptPaging> hwpt, UsersRef<HwptPaging>& old);
  /// Likewise; empty if the device was not attached.
  UsersRef<HwptPaging> detach(domain::Device& device);

 private:
  struct Attachment {
    domain::Device* device;
    UsersRef<HwptPaging> hwpt;
  };

  Attachment* find_locked(const domain::Device& device);
  int program_locked(HwptPaging& to);
  int reserve_for_attached_locked(HwptPaging& to);

  Host& host_;
  domain::Group& group_;
  std::unique_ptr<hal::Mutex> lock_;  // guards everything below and the hardware state of the group
  std::vector<domain::Device*> bound_;
  std::vector<Attachment> attached_;  // all to the same page table
};

}  // namespace iommusim::iommufd
