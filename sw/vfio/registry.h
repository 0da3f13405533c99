// SPDX-License-Identifier: Apache-2.0
// /dev/vfio of a machine: its devices, their groups, and the container node. Devices are added before the first open;
// everything lives as long as the machine, longer than any file. Functions may be called from several threads.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "iommufd/context.h"
#include "uapi/build_options.h"
#include "vfio/device.h"
#include "vfio/group.h"
#include "vfio/type1.h"

namespace iommusim::vfio {

struct RegistryOptions {
  bool container = uapi::kHasVfioContainer;  ///< /dev/vfio/vfio and the calls of a type1 container
};

class Registry {
 public:
  /// `host`: contexts that are opened on it later answer the calls of a container, too.
  explicit Registry(iommufd::Host& host, const RegistryOptions& options = {});
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  /// The next device, by its name in sysfs, e.g. 0000:00:04.0: the first is /dev/vfio/devices/vfio0. Its group's number
  /// is that of `hardware`. BARs without an address get one.
  Device& add(const std::string& address, PciFunction& function, domain::Device& hardware, DeviceOptions options = {});
  const std::vector<std::unique_ptr<Device>>& devices() const { return devices_; }
  const std::map<std::uint32_t, std::unique_ptr<Group>>& groups() const { return groups_; }

  // What open() of a node gives: 0 or a negative errno, ENODEV when there is no such node.
  int open_device(unsigned number, std::shared_ptr<hal::File>& out);
  int open_group(std::uint32_t number, std::shared_ptr<hal::File>& out);
  int open_container(std::shared_ptr<hal::File>& out, iommufd::ContextOptions options = {});

 private:
  std::uint64_t place_bar(const PciBar& bar);

  iommufd::Host& host_;
  const RegistryOptions options_;
  Type1 type1_;
  std::map<std::uint32_t, std::unique_ptr<Group>> groups_;
  std::vector<std::unique_ptr<Device>> devices_;
  std::uint64_t next_port_ = 0x1000;
  std::uint64_t next_memory_ = 0xC000'0000;
  std::uint64_t next_wide_ = 0x80'0000'0000;
};

}  // namespace iommusim::vfio
