// SPDX-License-Identifier: Apache-2.0
#include "timing/device_stats.h"

namespace iommusim::timing {

DeviceStatistics::DeviceStatistics(std::uint32_t devices, stats::Group& parent) : devices_(devices) {
  if (devices == 0) return;
  parent_ = std::make_unique<stats::Group>(parent, "devices");
  for (std::uint32_t i = 0; i < devices; ++i) {
    DeviceStats& group = groups_.emplace_back(*parent_, "device" + std::to_string(i));
    ids_.push_back(std::make_unique<stats::Derived>(group, "id", stats::Unit::kCount, "its device_id",
                                                    [this, i] { return devices_[i]; }));
  }
  groups_.emplace_back(*parent_, "others");
  numbers_.reserve(devices);
}

std::size_t DeviceStatistics::group_of(base::DeviceId device) {
  if (const auto found = numbers_.find(device.value); found != numbers_.end()) return found->second;
  const std::size_t number = numbers_.size();
  if (number == devices_.size()) return number;
  devices_[number] = device.value;
  numbers_.emplace(device.value, number);
  return number;
}

void DeviceStatistics::count(base::DeviceId device, bool faulted, bool missed, std::uint64_t latency) {
  DeviceStats& group = groups_[group_of(device)];
  ++group.ended;
  if (faulted) ++group.faulted;
  ++(missed ? group.misses : group.hits);
  group.latency.add(latency);
}

}  // namespace iommusim::timing
