// SPDX-License-Identifier: Apache-2.0
// A device of VFIO: a function, the IOMMU driver's view of it, its group, and which program has it. A program has it
// either through one bound character device or through the group path, in which case several files share it; never
// both.
//
// The lock serialises binding, attaching and closing; it is held while the IOMMU is programmed. Taken after the group's
// lock, before those of PciDevice and of iommufd. Errors are negative errno numbers.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <set>

#include "domain/domain.h"
#include "iommufd/context.h"
#include "vfio/pci_device.h"

namespace iommusim::vfio {

class DeviceFile;
class Group;

struct DeviceOptions {
  /// The token without which a program does not get the device (of virtual functions whose physical function is in
  /// another's hands).
  std::optional<std::array<std::uint8_t, 16>> token;
  /// The kernel's driver knows attaching by PASID (since 6.15).
  bool pasid_operations = true;
};

class Device {
 public:
  Device(unsigned number, iommufd::Host& host, Group& group, const PciAddress& address, PciFunction& function,
         domain::Device& hardware, const std::array<std::uint64_t, 6>& bar_addresses, DeviceOptions options);

  unsigned number() const { return number_; }
  Group& group() { return group_; }
  PciDevice& pci() { return pci_; }
  domain::Device& hardware() { return hardware_; }
  std::string name() const { return pci_.address().name(); }

  // Calls of a program on a character device's file.
  int bind(DeviceFile& file, hal::Process& caller, std::uint64_t arg);
  int attach(hal::Process& caller, std::uint64_t arg);
  int detach(hal::Process& caller, std::uint64_t arg);

  /// The group path: binds the device to the group's context and attaches it to the compat address space, unless
  /// another file of the group did so already.
  int open_through_group(const std::shared_ptr<iommufd::Context>& context);
  void close_through_group();
  /// The last close of a bound character device.
  void close_bound();

  /// Which context has it, and under which id; nullptr: none.
  std::shared_ptr<iommufd::Context> owner(iommufd::ObjectId& id);

 private:
  int check_token(hal::Process& caller, bool given, std::uint64_t user_va) const;
  int take_locked(const std::shared_ptr<iommufd::Context>& context);
  void give_back_locked();
  int attach_locked(iommufd::ObjectId& pt_id, std::uint32_t pasid);
  void detach_locked(std::uint32_t pasid);

  const unsigned number_;
  Group& group_;
  domain::Device& hardware_;
  const DeviceOptions options_;
  PciDevice pci_;
  std::unique_ptr<hal::Mutex> lock_;  // guards what follows
  std::shared_ptr<iommufd::Context> context_;
  iommufd::ObjectId id_ = 0;
  std::set<std::uint32_t> attached_;  // pasids; 0 = the attachment without one
  unsigned group_files_ = 0;
};

}  // namespace iommusim::vfio
