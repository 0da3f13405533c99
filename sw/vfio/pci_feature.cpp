// SPDX-License-Identifier: Apache-2.0
// DEVICE_FEATURE, as vfio-pci answers it for a function that is neither virtual nor able to migrate: of the features,
// low power exists; everything else is ENOTTY.
#include <cerrno>

#include "uapi/vfio.h"
#include "vfio/pci_device.h"
#include "vfio/user_copy.h"

namespace iommusim::vfio {
namespace {

enum class Go { kDone, kYes };

// What a feature that can only be set answers before it does anything: `result` when done.
Go check_settable(std::uint32_t flags, std::uint64_t bytes, std::uint64_t needed, int& result) {
  result = 0;
  if ((flags & uapi::kVfioFeatureGet) != 0) {
    result = -EINVAL;
    return Go::kDone;
  }
  if ((flags & uapi::kVfioFeatureProbe) != 0) return Go::kDone;
  if ((flags & uapi::kVfioFeatureSet) == 0 || bytes < needed) {
    result = -EINVAL;
    return Go::kDone;
  }
  return Go::kYes;
}

}  // namespace

int PciDevice::feature(hal::Process& caller, std::uint64_t arg) {
  uapi::VfioDeviceFeature head{};
  if (const int error = copy_in(caller, head, arg)) return error;
  if (head.argsz < sizeof head) return -EINVAL;
  constexpr std::uint32_t kGetOrSet = uapi::kVfioFeatureGet | uapi::kVfioFeatureSet;
  if ((head.flags & ~(uapi::kVfioFeatureMask | kGetOrSet | uapi::kVfioFeatureProbe)) != 0) return -EINVAL;
  if ((head.flags & uapi::kVfioFeatureProbe) == 0 && (head.flags & kGetOrSet) == kGetOrSet) return -EINVAL;
  const std::uint64_t bytes = head.argsz - sizeof head;
  switch (head.flags & uapi::kVfioFeatureMask) {
    case uapi::kVfioFeatureLowPowerEntry:
      return enter_low_power(caller, arg, head.flags, bytes, false);
    case uapi::kVfioFeatureLowPowerEntryWithWakeup:
      return enter_low_power(caller, arg, head.flags, bytes, true);
    case uapi::kVfioFeatureLowPowerExit: {
      int result = 0;
      if (check_settable(head.flags, bytes, 0, result) == Go::kYes) set_asleep(false);
      return result;
    }
    default:
      return -ENOTTY;
  }
}

int PciDevice::enter_low_power(hal::Process& caller, std::uint64_t arg, std::uint32_t flags, std::uint64_t bytes,
                               bool wakeup) {
  int result = 0;
  uapi::VfioLowPowerWakeup data{};
  if (check_settable(flags, bytes, wakeup ? sizeof data : 0, result) == Go::kDone) return result;
  if (wakeup) {
    if (const int error = copy_in(caller, data, arg + sizeof(uapi::VfioDeviceFeature))) return error;
    if (data.wakeup_eventfd < 0 || data.reserved != 0) return -EINVAL;
    std::shared_ptr<hal::EventSignal> signal;  // nothing wakes a simulated function: it is never fired
    hal::Files* const files = caller.files();
    if (const int error = files ? files->find_event(data.wakeup_eventfd, signal) : -EBADF) return error;
  }
  {
    const std::lock_guard guard(*config_lock_);
    if (asleep_) return -EINVAL;
    asleep_ = true;
    apply_switches_locked();
  }
  return 0;
}

}  // namespace iommusim::vfio
