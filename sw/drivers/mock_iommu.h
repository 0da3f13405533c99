// SPDX-License-Identifier: Apache-2.0
// An IOMMU in plain memory, for tests of what stands on domain/: no hardware, but the same contract, checked strictly.
// A hook sees each call as it begins and may park it, count it, or fail it. With MockOptions::programmable it has what
// the test command of /dev/iommu asks of it, too: kinds of page tables, nesting, vIOMMUs, PASIDs. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "domain/domain.h"
#include "drivers/mock_page_table.h"
#include "hal/hardware.h"
#include "hal/os.h"

namespace iommusim::drivers {

class MockDevice;

enum class MockCall { kAllocDomain, kMap, kUnmap, kSync, kFlushAll, kInvalidate, kAttach, kBlock };
inline constexpr std::size_t kMockCalls = 8;

/// The format is that of plain page tables, and of kind DEFAULT.
struct MockOptions : MockFormat {
  bool programmable = false;              ///< understands flags, data and objects of programs
  MockFormat huge = {};                   ///< page tables of kind HUGE
  hal::FrameAllocator* frames = nullptr;  ///< for regions that programs map
  hal::Memory* memory = nullptr;          ///< where these lie
};

/// The hardware behind the test command.
MockOptions mock_test_hardware(hal::FrameAllocator* frames, hal::Memory* memory);

struct MockDeviceOptions {
  std::uint32_t group = 0;   ///< devices of equal number share a group
  std::uint32_t format = 0;  ///< a domain suits the devices of the format of the device that made it; others say EINVAL
  std::set<domain::Capability> capabilities = {domain::Capability::kCacheCoherency, domain::Capability::kIsolatedMsi};
  std::vector<domain::ReservedRegion> reserved;
  unsigned pasid_width = 0;
};

class MockIommu {
 public:
  /// Runs at the start of each call, without any lock; `number` counts the calls of that kind from 1. A non-zero result
  /// is the errno of kAllocDomain, kMap and kAttach (which then do nothing); kSync, kFlushAll and kInvalidate then do
  /// nothing but say so; ignored elsewhere.
  using Hook = std::function<int(MockCall, std::uint64_t number)>;

  explicit MockIommu(hal::Os& os, MockOptions options = {});
  ~MockIommu();  // out of line: MockDevice is incomplete here
  MockIommu(const MockIommu&) = delete;
  MockIommu& operator=(const MockIommu&) = delete;

  /// What all domains and devices of this driver answer to iommu_driver().
  static const void* driver();

  /// Lives as long as the IOMMU, unless it is removed.
  MockDevice& add_device(const MockDeviceOptions& options = {});
  /// A device in a group of its own.
  MockDevice& add_lone_device(MockDeviceOptions options);
  /// Nothing uses it, nor, if it is the last one, its group.
  void remove_device(MockDevice& device);
  void set_hook(Hook hook);
  /// The `number`-th call from now of that kind fails with `error`; replaces the hook.
  void fail_nth(MockCall call, std::uint64_t number, int error);
  std::uint64_t calls(MockCall call) const;
  std::uint64_t live_domains() const;
  std::uint64_t live_devices() const;

  const MockOptions& options() const { return options_; }

 private:
  friend class MockDevice;
  friend class MockDomain;
  friend class MockNestedDomain;
  friend class MockVirtualIommu;
  int enter(MockCall call);

  hal::Os& os_;
  MockOptions options_;
  std::array<std::atomic<std::uint64_t>, kMockCalls> calls_{};
  std::atomic<bool> has_hook_{false};
  std::unique_ptr<hal::Mutex> lock_;  // guards what follows, and the attachments; taken before a domain's lock
  std::shared_ptr<const Hook> hook_;
  std::uint64_t live_domains_ = 0;
  std::uint32_t lone_groups_ = 0;
  std::vector<std::unique_ptr<domain::Group>> groups_;
  std::vector<std::unique_ptr<MockDevice>> devices_;
};

}  // namespace iommusim::drivers
