// SPDX-License-Identifier: Apache-2.0
// VIOMMU_ALLOC (uapi 7.1), and what a vIOMMU does for its driver.
#include "iommufd/viommu.h"

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <shared_mutex>

#include "iommufd/call.h"
#include "iommufd/device.h"
#include "iommufd/handlers.h"
#include "iommufd/no_memory.h"
#include "iommufd/vdevice.h"
#include "iommufd/veventq.h"
#include "pagetable/undo.h"

namespace iommusim::iommufd {

Viommu::Viommu(Context& context, UsersRef<HwptPaging> parent, const void* instance)
    : Object(kType),
      context_(context),
      parent_(std::move(parent)),
      instance_(instance),
      vdevices_lock_(context.os().make_mutex()),
      veventqs_lock_(context.os().make_rwlock()),
      hw_queues_lock_(context.os().make_mutex()) {}

Viommu::~Viommu() {
  driver_.reset();
  context_.mmap_regions().remove_all(*this);
}

int Viommu::make_driver(domain::Device& device, std::uint32_t type, const domain::UserData& data) {
  return device.alloc_virtual_iommu({type, &parent_->domain(), data, this}, driver_);
}

// R10.2: unique in both directions; the device's side is Device::set_vdevice().
int Viommu::add_vdevice(Vdevice& vdevice) {
  const std::lock_guard guard(*vdevices_lock_);
  const auto [at, fresh] = vdevices_.try_emplace(vdevice.virtual_id(), &vdevice);
  if (!fresh) return EEXIST;
  pagetable::Undo erase([&, place = at] { vdevices_.erase(place); });
  if (const int error = driver_->add_device(vdevice.device().hardware(), vdevice.virtual_id())) return error;
  erase.keep();
  return 0;
}

void Viommu::remove_vdevice(Vdevice& vdevice) {
  const std::lock_guard guard(*vdevices_lock_);
  driver_->remove_device(vdevice.device().hardware(), vdevice.virtual_id());
  vdevices_.erase(vdevice.virtual_id());
}

// R10.3: one a type.
int Viommu::add_veventq(Veventq& queue) {
  const std::unique_lock guard(*veventqs_lock_);
  return veventqs_.try_emplace(queue.kind(), &queue).second ? 0 : EEXIST;
}

void Viommu::remove_veventq(Veventq& queue) {
  const std::unique_lock guard(*veventqs_lock_);
  veventqs_.erase(queue.kind());
}

int Viommu::report_event(std::uint32_t type, const void* data, std::size_t bytes) {
  const std::shared_lock guard(*veventqs_lock_);
  const auto at = veventqs_.find(type);
  return at == veventqs_.end() ? EOPNOTSUPP : at->second->report(data, bytes);
}

int Viommu::announce_mmap(std::uint64_t spa, std::uint64_t bytes, std::uint64_t& offset_out) {
  return or_enomem([&] { return context_.mmap_regions().add(*this, spa, bytes, offset_out); });
}

void Viommu::retract_mmap(std::uint64_t offset) { context_.mmap_regions().remove(offset); }

int handle(Call& call, uapi::IommuViommuAlloc& argument) {
  if (argument.flags != 0 || argument.type == 0) return EOPNOTSUPP;
  Device* const device = call.hold<Device>(argument.dev_id);
  if (!device) return ENOENT;
  domain::Device& hardware = device->hardware();
  if (!hardware.offers_virtual_iommu(argument.type)) return EOPNOTSUPP;
  CallHold<HwptPaging> parent = call.context().objects().hold<HwptPaging>(argument.hwpt_id);
  if (!parent) return ENOENT;
  if (!parent->nest_parent()) return EINVAL;
  Viommu& viommu =
      call.create(std::make_unique<Viommu>(call.context(), to_users(std::move(parent)), hardware.iommu_instance()));
  const domain::UserData data{&call.caller(), argument.type, argument.data_len, argument.data_uptr};
  if (const int error = viommu.make_driver(hardware, argument.type, data)) return error;
  argument.out_viommu_id = viommu.id();
  return 0;
}

}  // namespace iommusim::iommufd
