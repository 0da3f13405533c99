// SPDX-License-Identifier: Apache-2.0
// A group of VFIO (/dev/vfio/N): devices that only one program can have, by the older path: open the group, put it into
// a container, ask for its devices. Excludes the character devices of its members: either the group is open or they are
// bound (uapi 12).
#pragma once

#include <memory>
#include <vector>

#include "domain/domain.h"
#include "hal/file.h"
#include "iommufd/context.h"

namespace iommusim::vfio {

class Device;
class Registry;

class Group {
 public:
  Group(iommufd::Host& host, Registry& registry, domain::Group& hardware);

  std::uint32_t number() const { return hardware_.id; }
  domain::Group& hardware() { return hardware_; }
  std::vector<Device*>& members() { return members_; }
  /// The device of that name; nullptr: not in this group.
  Device* find(const std::string& name);

  // Character devices: a bind under way or done keeps the group closed. False: the group is open.
  bool block();
  void unblock();

  /// A device file that get_device() made is closed.
  void device_closed();

  /// EBUSY.
  int open(std::shared_ptr<hal::File>& out);

 private:
  friend class GroupFile;

  int get_status(hal::Process& caller, std::uint64_t arg);
  int set_container(hal::Process& caller, std::uint64_t arg);
  int unset_container();
  int get_device(hal::Process& caller, std::uint64_t arg, std::shared_ptr<hal::File> file);
  int open_device(hal::Process& caller, std::uint64_t name, Device*& out);
  void closed();

  iommufd::Host& host_;
  Registry& registry_;
  domain::Group& hardware_;
  std::vector<Device*> members_;      // set before the first open
  std::unique_ptr<hal::Mutex> lock_;  // guards what follows
  bool open_ = false;
  unsigned blocked_ = 0;
  std::shared_ptr<iommufd::Context> context_;
  unsigned device_files_ = 0;  // of its members, opened and not closed
};

/// The file of an open group.
class GroupFile final : public hal::File, public std::enable_shared_from_this<GroupFile> {
 public:
  explicit GroupFile(Group& group) : File("/dev/vfio/group", hal::Pollable::kAlways), group_(group) {}
  ~GroupFile() override { group_.closed(); }
  Group& group() { return group_; }
  std::int64_t ioctl(hal::Process& caller, std::uint32_t command, std::uint64_t arg) override;

 private:
  Group& group_;
};

}  // namespace iommusim::vfio
