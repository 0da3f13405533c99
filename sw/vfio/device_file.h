// SPDX-License-Identifier: Apache-2.0
// An open device: of /dev/vfio/devices/vfioN, which can do nothing but bind until it is bound, or what a group gave,
// which is ready at once and keeps the group open. The last close gives the device back.
#pragma once

#include <atomic>
#include <memory>

#include "hal/file.h"
#include "vfio/device.h"

namespace iommusim::vfio {

class Registry;

class DeviceFile final : public hal::File {
 public:
  /// A character device.
  DeviceFile(Registry& registry, Device& device);
  /// A device of a group, which has been opened through it already.
  DeviceFile(Registry& registry, Device& device, std::shared_ptr<hal::File> group);
  ~DeviceFile() override;

  Device& device() { return device_; }
  bool through_group() const { return group_ != nullptr; }
  bool granted() const { return granted_.load(std::memory_order_acquire); }
  void grant() { granted_.store(true, std::memory_order_release); }

  bool has_position() const override { return true; }
  std::int64_t read(hal::Process& caller, std::uint64_t user_va, std::uint64_t bytes, std::uint64_t& position) override;
  std::int64_t write(hal::Process& caller, std::uint64_t user_va, std::uint64_t bytes,
                     std::uint64_t& position) override;
  std::int64_t ioctl(hal::Process& caller, std::uint32_t command, std::uint64_t arg) override;
  int mmap(hal::Process& caller, std::uint64_t offset, std::uint64_t bytes, unsigned prot, bool shared,
           hal::MappedRegion& out) override;

 private:
  Registry& registry_;
  Device& device_;
  const std::shared_ptr<hal::File> group_;
  std::atomic<bool> granted_{false};
};

}  // namespace iommusim::vfio
