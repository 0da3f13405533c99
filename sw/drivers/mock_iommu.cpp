// SPDX-License-Identifier: Apache-2.0
// Hooks, counters and the device list of MockIommu.
#include "drivers/mock_iommu.h"

#include <algorithm>
#include <mutex>

#include "drivers/mock_device.h"
#include "hal/contradiction.h"

namespace iommusim::drivers {
namespace {

constexpr std::uint32_t kLoneGroups = 0x80000000;  ///< numbers of groups of one device

}  // namespace

// What programs written for the test command expect: small pages so that sub-page mappings are exercised, and an
// aperture so that reservations are.
MockOptions mock_test_hardware(hal::FrameAllocator* frames, hal::Memory* memory) {
  MockOptions options;
  static_cast<MockFormat&>(options) = MockFormat{2048, 16 << 20, 0x7FFFFFFF};
  options.huge = MockFormat{4096 | 1 << 20, 0, ~0ULL};
  options.programmable = true;
  options.frames = frames;
  options.memory = memory;
  return options;
}

MockIommu::MockIommu(hal::Os& os, MockOptions options) : os_(os), options_(options), lock_(os.make_mutex()) {}
MockIommu::~MockIommu() = default;

const void* MockIommu::driver() {
  static const char kMe = 0;
  return &kMe;
}

MockDevice& MockIommu::add_device(const MockDeviceOptions& options) {
  const std::lock_guard guard(*lock_);
  domain::Group* group = nullptr;
  for (const auto& known : groups_)
    if (known->id == options.group) group = known.get();
  std::unique_ptr<domain::Group> made;  // kept once nothing can fail any more
  if (!group) {
    groups_.reserve(groups_.size() + 1);
    made = std::make_unique<domain::Group>();
    group = made.get();
    group->id = options.group;
  }
  devices_.reserve(devices_.size() + 1);
  group->devices.reserve(group->devices.size() + 1);
  devices_.push_back(std::make_unique<MockDevice>(*this, *group, options));
  group->devices.push_back(devices_.back().get());
  if (made) groups_.push_back(std::move(made));
  return *devices_.back();
}

MockDevice& MockIommu::add_lone_device(MockDeviceOptions options) {
  {
    const std::lock_guard guard(*lock_);
    options.group = kLoneGroups + lone_groups_++;
  }
  return add_device(options);
}

void MockIommu::remove_device(MockDevice& device) {
  std::unique_ptr<MockDevice> gone;
  const std::lock_guard guard(*lock_);
  std::vector<domain::Device*>& members = device.group().devices;
  members.erase(std::remove(members.begin(), members.end(), &device), members.end());
  const auto empty = [](const auto& group) { return group->devices.empty(); };
  groups_.erase(std::remove_if(groups_.begin(), groups_.end(), empty), groups_.end());
  const auto mine = std::find_if(devices_.begin(), devices_.end(), [&](const auto& at) { return at.get() == &device; });
  hal::ensure(mine != devices_.end(), "a device is removed twice");
  gone = std::move(*mine);
  devices_.erase(mine);
}

void MockIommu::set_hook(Hook hook) {
  const std::lock_guard guard(*lock_);
  hook_ = hook ? std::make_shared<const Hook>(std::move(hook)) : nullptr;
  has_hook_ = hook_ != nullptr;
}

void MockIommu::fail_nth(MockCall call, std::uint64_t number, int error) {
  const std::uint64_t which = calls(call) + number;
  set_hook([=](MockCall now, std::uint64_t n) { return now == call && n == which ? error : 0; });
}

std::uint64_t MockIommu::calls(MockCall call) const { return calls_[static_cast<std::size_t>(call)]; }

std::uint64_t MockIommu::live_domains() const {
  const std::lock_guard guard(*lock_);
  return live_domains_;
}

std::uint64_t MockIommu::live_devices() const {
  const std::lock_guard guard(*lock_);
  return devices_.size();
}

int MockIommu::enter(MockCall call) {
  const std::uint64_t number = calls_[static_cast<std::size_t>(call)].fetch_add(1, std::memory_order_relaxed) + 1;
  if (!has_hook_.load(std::memory_order_acquire)) return 0;
  std::shared_ptr<const Hook> hook;
  {
    const std::lock_guard guard(*lock_);
    hook = hook_;
  }
  return hook ? (*hook)(call, number) : 0;
}

}  // namespace iommusim::drivers
