// SPDX-License-Identifier: Apache-2.0
// The devices of one isolation group in one context, and the page tables that they share (R5.2): for each PASID, and
// for requests without one (0), either none of them is attached, or all that are use the same one. Attach, detach and
// replace of a group are serialised here (R13.4). Holds the DMA ownership of the group while it exists.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "domain/domain.h"
#include "iommufd/hwpt.h"

namespace iommusim::iommufd {

class Context;
class Device;

class DeviceGroup {
 public:
  /// Takes over a claim on the group's DMA.
  DeviceGroup(Context& context, domain::Group& group);
  ~DeviceGroup();
  DeviceGroup(const DeviceGroup&) = delete;
  DeviceGroup& operator=(const DeviceGroup&) = delete;

  /// A device can be bound once. 0 or EBUSY.
  int add(domain::Device& device);
  void remove(domain::Device& device) noexcept;

  /// 0, EBUSY (this device is attached), EINVAL (another one is, to another page table; or one of the rules of R5.3),
  /// EADDRINUSE, or what a driver says.
  int attach(Device& device, std::uint32_t pasid, UsersRef<Hwpt> hwpt);
  /// Moves all attached devices. The reference that must be dropped with ObjectTable::drop_or_remove() when no lock is
  /// held is put into `old`, empty if nothing changed.
  int replace(Device& device, std::uint32_t pasid, UsersRef<Hwpt> hwpt, UsersRef<Hwpt>& old);
  /// Likewise; empty if the device was not attached.
  UsersRef<Hwpt> detach(Device& device, std::uint32_t pasid);
  /// The id of the page table, or 0.
  ObjectId attached_to(const Device& device, std::uint32_t pasid);
  bool is_attached(const domain::Device& device);
  /// From here on MSIs of the attached `device` to `doorbell` reach it at `iova_out`. EINVAL: it is not attached, or
  /// its MSIs are not translated.
  int show_doorbell(const Device& device, std::uint64_t doorbell, std::uint64_t& iova_out);

 private:
  struct Member {
    Device* device;
    UsersRef<Hwpt> hwpt;
  };
  using Members = std::vector<Member>;  // never empty in attached_, all to the same page table

  Members* find_locked(std::uint32_t pasid);
  int check_locked(const Device& device, std::uint32_t pasid, const Hwpt& hwpt);
  int program_locked(std::uint32_t pasid, Hwpt* from, Hwpt& to);
  void block_locked(std::uint32_t pasid);
  int reserve_for_locked(const Members& members, HwptPaging& to);
  int show_doorbells_locked(const Device& device, HwptPaging& to);
  void route_back_locked(const Members& members, std::uint32_t pasid, Hwpt& from, Hwpt& to);

  Context& context_;
  domain::Group& group_;
  std::unique_ptr<hal::Mutex> lock_;  // guards everything below and the hardware state of the group
  std::vector<domain::Device*> bound_;
  std::map<std::uint32_t, Members> attached_;  // by PASID; 0: without
  std::vector<std::uint64_t> doorbells_;
};

}  // namespace iommusim::iommufd
