// SPDX-License-Identifier: Apache-2.0
// Hooks, counters and the device list of MockIommu.
#include "drivers/mock_iommu.h"

#include <mutex>

#include "drivers/mock_device.h"

namespace iommusim::drivers {

MockIommu::MockIommu(hal::Os& os, MockOptions options) : os_(os), options_(options), lock_(os.make_mutex()) {}
MockIommu::~MockIommu() = default;

MockDevice& MockIommu::add_device(const MockDeviceOptions& options) {
  const std::lock_guard guard(*lock_);
  domain::Group* group = nullptr;
  for (const auto& known : groups_)
    if (known->id == options.group) group = known.get();
  if (!group) {
    groups_.push_back(std::make_unique<domain::Group>());
    group = groups_.back().get();
    group->id = options.group;
  }
  devices_.push_back(std::make_unique<MockDevice>(*this, *group, options));
  group->devices.push_back(devices_.back().get());
  return *devices_.back();
}

void MockIommu::set_hook(Hook hook) {
  const std::lock_guard guard(*lock_);
  hook_ = hook ? std::make_shared<const Hook>(std::move(hook)) : nullptr;
}

void MockIommu::fail_nth(MockCall call, std::uint64_t number, int error) {
  const std::uint64_t which = calls(call) + number;
  set_hook([=](MockCall now, std::uint64_t n) { return now == call && n == which ? error : 0; });
}

std::uint64_t MockIommu::calls(MockCall call) const {
  const std::lock_guard guard(*lock_);
  return calls_[static_cast<std::size_t>(call)];
}

std::uint64_t MockIommu::live_domains() const {
  const std::lock_guard guard(*lock_);
  return live_domains_;
}

int MockIommu::enter(MockCall call) {
  std::shared_ptr<const Hook> hook;
  std::uint64_t number = 0;
  {
    const std::lock_guard guard(*lock_);
    number = ++calls_[static_cast<std::size_t>(call)];
    hook = hook_;
  }
  return hook ? (*hook)(call, number) : 0;
}

}  // namespace iommusim::drivers
