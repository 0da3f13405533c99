// SPDX-License-Identifier: Apache-2.0
// A machine with /dev/vfio: the rig of iommufd's tests, three functions, and the system calls of a program in few
// words. Devices 0 and 1 lie in groups of their own, device 2 shares the group of device 1.
#pragma once

#include "../iommufd/world.h"
#include "iommufd/context_file.h"
#include "scripted_function.h"
#include "uapi/vfio.h"
#include "vfio/registry.h"

namespace iommusim::vfio {

using iommufd::kHeap;
using iommufd::kPage;
using iommufd::ObjectId;

struct VfioWorld : iommufd::World {
  explicit VfioWorld(const DeviceOptions& device_options = {}, const RegistryOptions& options = {},
                     const drivers::MockOptions& mock = {})
      : World({}, nullptr, mock), registry(host, options) {
    drivers::MockDeviceOptions hardware;
    hardware.group = 11;
    mocks[0] = &iommu.add_device(hardware);
    hardware.group = 12;
    mocks[1] = &iommu.add_device(hardware);
    mocks[2] = &iommu.add_device(hardware);
    registry.add("0000:00:04.0", functions[0], *mocks[0], device_options);
    registry.add("0000:03:00.0", functions[1], *mocks[1], device_options);
    registry.add("0000:03:01.0", functions[2], *mocks[2], device_options);
  }

  /// The program ends: its descriptors go before the machine.
  ~VfioWorld() {
    for (int fd = 3; user.descriptors().open_count() != 0; ++fd) close(fd);
  }

  /// The number, or a negative errno.
  int install(int error, std::shared_ptr<hal::File> file) {
    int fd = -1;
    if (error) return error;
    error = user.descriptors().install(std::move(file), fd);
    return error ? error : fd;
  }
  int open_device(unsigned number = 0) {
    std::shared_ptr<hal::File> file;
    const int error = registry.open_device(number, file);
    return install(error, std::move(file));
  }
  int open_group(std::uint32_t number) {
    std::shared_ptr<hal::File> file;
    const int error = registry.open_group(number, file);
    return install(error, std::move(file));
  }
  int open_container() {
    std::shared_ptr<hal::File> file;
    const int error = registry.open_container(file);
    return install(error, std::move(file));
  }
  /// The world's context, behind a descriptor.
  int open_iommu() { return install(0, std::make_shared<iommufd::ContextFile>("/dev/iommu", context)); }
  int open_event(hal::EventFile*& out) {
    auto file = std::make_shared<hal::EventFile>();
    out = file.get();
    return install(0, std::move(file));
  }
  int close(int fd) { return user.descriptors().close(fd); }

  /// 0 or more, or a negative errno. Bytes travel through a page of the program.
  std::int64_t ioctl(int fd, std::uint32_t command, void* argument, std::size_t bytes) {
    const std::uint64_t at = take_slot();
    hal::ensure(user.copy_to_user(at, argument, bytes) == 0, "no memory for an argument");
    const std::int64_t result = user.descriptors().ioctl(user, fd, command, at);
    user.copy_from_user(argument, at, bytes);
    give_slot(at);
    return result;
  }
  template <class T>
  std::int64_t ioctl(int fd, std::uint32_t command, T& argument) {
    return ioctl(fd, command, &argument, sizeof argument);
  }
  std::int64_t ioctl_at(int fd, std::uint32_t command, std::uint64_t argument) {
    return user.descriptors().ioctl(user, fd, command, argument);
  }

  /// The device's id, or a negative errno.
  std::int64_t bind(int fd, int iommufd) {
    uapi::VfioDeviceBindIommufd argument{16, 0, iommufd, 0, 0};
    const std::int64_t result = ioctl(fd, uapi::kVfioDeviceBindIommufd, &argument, 16);
    return result ? result : argument.out_devid;
  }
  /// `pt` receives the page table.
  std::int64_t attach(int fd, ObjectId& pt) {
    uapi::VfioDeviceAttachIommufdPt argument{12, 0, pt, 0};
    const std::int64_t result = ioctl(fd, uapi::kVfioDeviceAttachIommufdPt, &argument, 12);
    pt = argument.pt_id;
    return result;
  }
  std::int64_t detach(int fd) {
    uapi::VfioDeviceDetachIommufdPt argument{8, 0, 0};
    return ioctl(fd, uapi::kVfioDeviceDetachIommufdPt, &argument, 8);
  }
  /// A device that is bound to the world's context.
  int bound(unsigned number = 0) {
    const int iommufd = open_iommu();
    const int fd = open_device(number);
    hal::ensure(bind(fd, iommufd) > 0, "bind failed");
    close(iommufd);
    return fd;
  }

  std::int64_t pread(int fd, std::uint64_t position, void* out, std::size_t bytes) {
    const std::uint64_t at = slot();
    const std::int64_t result = user.descriptors().pread(user, fd, at, bytes, position);
    if (result > 0) user.copy_from_user(out, at, static_cast<std::size_t>(result));
    return result;
  }
  std::int64_t pwrite(int fd, std::uint64_t position, const void* from, std::size_t bytes) {
    const std::uint64_t at = slot();
    user.copy_to_user(at, from, bytes);
    return user.descriptors().pwrite(user, fd, at, bytes, position);
  }
  static std::uint64_t region(std::uint32_t index, std::uint64_t offset = 0) {
    return (static_cast<std::uint64_t>(index) << uapi::kVfioPciOffsetShift) + offset;
  }
  template <class T = std::uint32_t>
  T config(int fd, std::uint32_t at) {
    T value{};
    EXPECT_EQ(pread(fd, region(uapi::kVfioPciConfig, at), &value, sizeof value),
              static_cast<std::int64_t>(sizeof value));
    return value;
  }
  template <class T>
  void set_config(int fd, std::uint32_t at, T value) {
    EXPECT_EQ(pwrite(fd, region(uapi::kVfioPciConfig, at), &value, sizeof value),
              static_cast<std::int64_t>(sizeof value));
  }
  /// Where a capability begins; 0: not in the list.
  std::uint32_t capability(int fd, std::uint8_t id) {
    std::uint32_t at = config<std::uint8_t>(fd, kCfgCapabilities);
    while (at != 0 && config<std::uint8_t>(fd, at) != id) at = config<std::uint8_t>(fd, at + 1);
    return at;
  }
  std::int64_t set_irqs(int fd, std::uint32_t flags, std::uint32_t index, std::uint32_t start,
                        const std::vector<std::int32_t>& fds) {
    std::vector<std::uint32_t> argument{static_cast<std::uint32_t>(20 + 4 * fds.size()), flags, index, start,
                                        static_cast<std::uint32_t>(fds.size())};
    for (const std::int32_t one : fds) argument.push_back(static_cast<std::uint32_t>(one));
    return ioctl(fd, uapi::kVfioDeviceSetIrqs, argument.data(), argument.size() * 4);
  }
  /// Without data.
  std::int64_t act_irqs(int fd, std::uint32_t flags, std::uint32_t index, std::uint32_t start, std::uint32_t count) {
    uapi::VfioIrqSet argument{20, flags | uapi::kVfioIrqDataNone, index, start, count};
    return ioctl(fd, uapi::kVfioDeviceSetIrqs, argument);
  }

  ScriptedFunction functions[3];
  drivers::MockDevice* mocks[3] = {};
  Registry registry;
};

}  // namespace iommusim::vfio
