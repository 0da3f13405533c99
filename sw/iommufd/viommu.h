// SPDX-License-Identifier: Apache-2.0
// A slice of one physical IOMMU for a guest, as an object (R10.1). Holds `users` of its parent, the page table whose
// address space is the guest's memory. vDEVICEs, event queues, hardware queues and nested page tables made in it hold
// `users` of it; the lists here find them for the driver.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "domain/virtual_iommu.h"
#include "iommufd/context.h"
#include "iommufd/hwpt.h"

namespace iommusim::iommufd {

class HwQueue;
class Vdevice;
class Veventq;

class Viommu final : public Object, private domain::VirtualIommuPorts {
 public:
  static constexpr ObjectType kType = ObjectType::kViommu;

  Viommu(Context& context, UsersRef<HwptPaging> parent, const void* instance);
  ~Viommu() override;

  /// What the driver makes of it. 0, or an errno of Device::alloc_virtual_iommu.
  int make_driver(domain::Device& device, std::uint32_t type, const domain::UserData& data);

  Context& context() { return context_; }
  HwptPaging& parent() { return *parent_; }
  domain::VirtualIommu& driver() { return *driver_; }
  /// Which IOMMU it is a slice of.
  const void* instance() const { return instance_; }

  /// EEXIST: the number, or the type, is in use here; or what the driver says.
  int add_vdevice(Vdevice& vdevice);
  void remove_vdevice(Vdevice& vdevice);
  int add_veventq(Veventq& queue);
  void remove_veventq(Veventq& queue);

  /// Held while a hardware queue is made or ends, so that one which another depends on does not end meanwhile.
  hal::Mutex& hw_queues_lock() { return *hw_queues_lock_; }
  std::vector<HwQueue*>& hw_queues_locked() { return hw_queues_; }

 private:
  int report_event(std::uint32_t type, const void* data, std::size_t bytes) override;
  int announce_mmap(std::uint64_t spa, std::uint64_t bytes, std::uint64_t& offset_out) override;
  void retract_mmap(std::uint64_t offset) override;

  Context& context_;
  UsersRef<HwptPaging> parent_;
  const void* const instance_;
  std::unique_ptr<hal::Mutex> vdevices_lock_;
  std::map<std::uint64_t, Vdevice*> vdevices_;  // by the guest's number; vdevices_lock_
  std::unique_ptr<hal::RwLock> veventqs_lock_;
  std::map<std::uint32_t, Veventq*> veventqs_;  // by type; veventqs_lock_
  std::unique_ptr<hal::Mutex> hw_queues_lock_;
  std::vector<HwQueue*> hw_queues_;  // hw_queues_lock_
  std::unique_ptr<domain::VirtualIommu> driver_;
};

}  // namespace iommusim::iommufd
