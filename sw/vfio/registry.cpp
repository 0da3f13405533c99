// SPDX-License-Identifier: Apache-2.0
// The devices of a machine and the opening of its nodes.
#include "vfio/registry.h"

#include <cerrno>

#include "hal/contradiction.h"
#include "iommufd/context_file.h"
#include "vfio/device_file.h"

namespace iommusim::vfio {

Registry::Registry(iommufd::Host& host, const RegistryOptions& options) : host_(host), options_(options) {
  if (options.container) host.outer = &type1_;
}

Registry::~Registry() {
  if (host_.outer == &type1_) host_.outer = nullptr;
}

// Model: the addresses that firmware would give; ports, memory below 4 GiB, and wide BARs each upward from a start.
std::uint64_t Registry::place_bar(const PciBar& bar) {
  if (bar.bytes == 0) return 0;
  hal::ensure((bar.bytes & (bar.bytes - 1)) == 0 && bar.bytes >= 16, "the size of a BAR is not a power of two");
  if (bar.address != 0) return bar.address;
  std::uint64_t& next = bar.io ? next_port_ : bar.wide ? next_wide_ : next_memory_;
  const std::uint64_t step = bar.io || bar.bytes >= 4096 ? bar.bytes : 4096;  // alone in its page
  const std::uint64_t at = (next + step - 1) / step * step;
  next = at + step;
  return at;
}

Device& Registry::add(const std::string& address, PciFunction& function, domain::Device& hardware,
                      DeviceOptions options) {
  PciAddress at;
  hal::ensure(PciAddress::parse(address, at), "not the name of a PCI function");
  std::unique_ptr<Group>& group = groups_[hardware.group().id];
  if (!group) group = std::make_unique<Group>(host_, *this, hardware.group());
  std::array<std::uint64_t, 6> bars{};
  for (std::size_t i = 0; i < bars.size(); ++i) bars[i] = place_bar(function.identity().bars[i]);
  devices_.push_back(std::make_unique<Device>(static_cast<unsigned>(devices_.size()), host_, *group, at, function,
                                              hardware, bars, std::move(options)));
  group->members().push_back(devices_.back().get());
  return *devices_.back();
}

int Registry::open_device(unsigned number, std::shared_ptr<hal::File>& out) {
  if (number >= devices_.size()) return -ENODEV;
  out = std::make_shared<DeviceFile>(*this, *devices_[number]);
  return 0;
}

int Registry::open_group(std::uint32_t number, std::shared_ptr<hal::File>& out) {
  const auto found = groups_.find(number);
  return found == groups_.end() ? -ENODEV : found->second->open(out);
}

int Registry::open_container(std::shared_ptr<hal::File>& out, iommufd::ContextOptions options) {
  if (!options_.container) return -ENODEV;
  options.account = hal::LockedAccount::kMm;  // R11.4
  out = std::make_shared<iommufd::ContextFile>("/dev/vfio/vfio", iommufd::Context::open(host_, options));
  return 0;
}

}  // namespace iommusim::vfio
