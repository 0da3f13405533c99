// SPDX-License-Identifier: Apache-2.0
// A machine with guest hardware: two devices of one IOMMU in groups of their own, bound, and the calls of a program
// that lends to guests.
#pragma once

#include "guest_hardware.h"
#include "world.h"

namespace iommusim::iommufd {

struct GuestWorld : World {
  explicit GuestWorld(GuestOptions options = {}, const ContextOptions& context_options = {},
                      const drivers::MockOptions& tables = {})
      : World(context_options, nullptr, tables),
        device(hardware, iommu, group, options),
        second(hardware, iommu, second_group, options) {
    dev = bound(device);
    second_dev = bound(second);
    space = ioas();
  }
  /// The hardware is here until the context is gone.
  ~GuestWorld() {
    if (context) unbind_all();
    close_all();
    context.reset();
  }

  void unbind_all() {
    for (ObjectId* id : {&dev, &second_dev}) {
      if (*id == 0) continue;
      for (std::uint32_t pasid = 0; pasid < 16; ++pasid) device_detach(*context, *id, pasid);
      EXPECT_EQ(device_unbind(*context, *id), 0);
      *id = 0;
    }
  }
  /// Puts words where the next call can point to.
  std::uint64_t put(std::vector<std::uint32_t> words) {
    const std::uint64_t at = slot();
    user.copy_to_user(at, words.data(), words.size() * 4);
    return at;
  }
  std::uint32_t word_at(std::uint64_t at) {
    std::uint32_t word = 0;
    user.copy_from_user(&word, at, 4);
    return word;
  }

  uapi::IommuHwptAlloc paging(std::uint32_t flags = 0, std::uint32_t fault = 0) {
    return {0, flags, dev, space, 0, 0, 0, 0, 0, fault, 0};
  }
  uapi::IommuHwptAlloc nested(ObjectId parent, std::uint32_t flags = 0, std::uint32_t fault = 0) {
    return {0, flags, dev, parent, 0, 0, kGuestType, 4, put({0xABCD}), fault, 0};
  }
  int hwpt_alloc(uapi::IommuHwptAlloc argument) { return call(uapi::kIommuHwptAlloc, argument); }
  /// The id, or 0.
  ObjectId hwpt(uapi::IommuHwptAlloc argument) {
    return call(uapi::kIommuHwptAlloc, argument) == 0 ? argument.out_hwpt_id : 0;
  }
  ObjectId parent() { return hwpt(paging(uapi::kIommuHwptNestParent)); }
  ObjectId fault_queue(int& fd) {
    uapi::IommuFaultQueueAlloc argument{};
    if (call(uapi::kIommuFaultQueueAlloc, argument) != 0) return 0;
    fd = static_cast<int>(argument.out_fault_fd);
    return argument.out_fault_id;
  }
  uapi::IommuViommuAlloc viommu_argument(ObjectId parent_hwpt) {
    return {0, 0, kGuestType, dev, parent_hwpt, 0, 0, 0, 0};
  }
  ObjectId viommu(ObjectId parent_hwpt) {
    uapi::IommuViommuAlloc argument = viommu_argument(parent_hwpt);
    return call(uapi::kIommuViommuAlloc, argument) == 0 ? argument.out_viommu_id : 0;
  }
  int vdevice(ObjectId viommu_id, ObjectId device_id, std::uint64_t number, ObjectId* id = nullptr) {
    uapi::IommuVdeviceAlloc argument{0, viommu_id, device_id, 0, number};
    const int error = call(uapi::kIommuVdeviceAlloc, argument);
    if (id) *id = argument.out_vdevice_id;
    return error;
  }
  int attach(ObjectId device_id, ObjectId pt, std::uint32_t pasid = 0) {
    return device_attach(*context, device_id, pt, pasid);
  }
  int replace(ObjectId device_id, ObjectId pt, std::uint32_t pasid = 0) {
    return device_replace(*context, device_id, pt, pasid);
  }
  int detach(ObjectId device_id, std::uint32_t pasid = 0) { return device_detach(*context, device_id, pasid); }
  std::int64_t read(int fd, std::uint64_t at, std::uint64_t bytes) {
    return user.descriptors().read(process, fd, at, bytes);
  }
  std::int64_t write(int fd, std::uint64_t at, std::uint64_t bytes) {
    return user.descriptors().write(process, fd, at, bytes);
  }
  int ready(int fd) { return user.descriptors().poll(fd, 5); }
  int close(int fd) { return user.descriptors().close(fd); }

  GuestIommu hardware;
  domain::Group group{100, {}};
  domain::Group second_group{101, {}};
  GuestDevice device;
  GuestDevice second;
  ObjectId dev = 0;         ///< 1
  ObjectId second_dev = 0;  ///< 2
  ObjectId space = 0;       ///< 3
};

}  // namespace iommusim::iommufd
