// SPDX-License-Identifier: Apache-2.0
// One open of /dev/iommu: an object table of its own. Shared by the file and by every bound device and access; the last
// of them ends it, and with it all that is left in the table. Functions may be called from several threads; no lock is
// held for the whole of a call. The Host, and every Process that mapped memory, outlive it.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>

#include "hal/file.h"
#include "hal/process.h"
#include "iommufd/host.h"
#include "iommufd/mmap_regions.h"
#include "iommufd/msi_pages.h"
#include "iommufd/object_table.h"

namespace iommusim::iommufd {

class DeviceGroup;

struct ContextOptions {
  DestroyPolicy destroy = DestroyPolicy::kWait;
  bool allow_unsafe_interrupts = false;  ///< bind devices whose message-signalled interrupts are not isolated
  hal::LockedAccount account = hal::LockedAccount::kUser;  ///< kMm for those opened through the VFIO node (R11.4)
};

class Context : public std::enable_shared_from_this<Context> {
 public:
  static std::shared_ptr<Context> open(Host& host, const ContextOptions& options = {});
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// A system call of `caller`: 0 (a few commands say more) or a negative errno. `user_arg` is an address of the
  /// caller's space.
  int ioctl(hal::Process& caller, std::uint32_t command, std::uint64_t user_arg);

  /// mmap() of the context's descriptor (uapi 9), after the kernel's own checks: `offset` and `bytes` are multiples of
  /// the page. `prot` as in hal::File. 0 or a negative errno: EINVAL, EPERM, ENXIO, ENOMEM.
  int mmap(std::uint64_t offset, std::uint64_t bytes, unsigned prot, bool shared, hal::MappedRegion& out);

  Host& host() { return host_; }
  hal::Os& os() { return host_.os; }
  const ContextOptions& options() const { return options_; }
  ObjectTable& objects() { return objects_; }
  /// Who pays for pages that `caller` maps from here on (R3.10).
  hal::LockedAccount account_of(const hal::Process& caller) const {
    return caller.capable(hal::ProcessCapability::kIpcLock) ? hal::LockedAccount::kNone : account_.load();
  }
  hal::LockedAccount account() const { return account_; }
  void set_account(hal::LockedAccount account) { account_ = account; }
  MmapRegions& mmap_regions() { return mmap_regions_; }
  MsiPages& msi_pages() { return msi_pages_; }

  /// The state of a device group in this context; claims its DMA when it is new. 0, EBUSY.
  int get_group(domain::Group& group, std::shared_ptr<DeviceGroup>& out);

 private:
  Context(Host& host, const ContextOptions& options);

  Host& host_;
  const ContextOptions options_;
  std::atomic<hal::LockedAccount> account_;
  ObjectTable objects_;
  MmapRegions mmap_regions_;
  MsiPages msi_pages_;
  std::unique_ptr<hal::Mutex> groups_lock_;
  std::map<const domain::Group*, std::weak_ptr<DeviceGroup>> groups_;  // guarded by groups_lock_
};

}  // namespace iommusim::iommufd
