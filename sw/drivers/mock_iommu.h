// SPDX-License-Identifier: Apache-2.0
// An IOMMU in plain memory, for tests of what stands on domain/: no hardware, but the same contract, checked strictly.
// A hook sees each call as it begins and may park it, count it, or fail it. Everything is thread-safe.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "domain/domain.h"
#include "hal/os.h"

namespace iommusim::drivers {

class MockDevice;

enum class MockCall { kAllocDomain, kMap, kUnmap, kSync, kFlushAll, kInvalidate, kAttach, kBlock };
inline constexpr std::size_t kMockCalls = 8;

struct MockOptions {
  std::uint64_t page_sizes = (1ULL << 12) | (1ULL << 21);
  std::uint64_t aperture_start = 0;
  std::uint64_t aperture_last = (1ULL << 47) - 1;
};

struct MockDeviceOptions {
  std::uint32_t group = 0;   ///< devices of equal number share a group
  std::uint32_t format = 0;  ///< a domain suits the devices of the format of the device that made it; others say EINVAL
  std::set<domain::Capability> capabilities = {domain::Capability::kCacheCoherency, domain::Capability::kIsolatedMsi};
  std::vector<domain::ReservedRegion> reserved;
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

  /// Lives as long as the IOMMU.
  MockDevice& add_device(const MockDeviceOptions& options = {});
  void set_hook(Hook hook);
  /// The `number`-th call from now of that kind fails with `error`; replaces the hook.
  void fail_nth(MockCall call, std::uint64_t number, int error);
  std::uint64_t calls(MockCall call) const;
  std::uint64_t live_domains() const;

  const MockOptions& options() const { return options_; }

 private:
  friend class MockDevice;
  friend class MockDomain;
  int enter(MockCall call);

  hal::Os& os_;
  MockOptions options_;
  std::unique_ptr<hal::Mutex> lock_;  // guards what follows, and the attachments; taken before a domain's lock
  std::shared_ptr<const Hook> hook_;
  std::array<std::uint64_t, kMockCalls> calls_{};
  std::uint64_t live_domains_ = 0;
  std::vector<std::unique_ptr<domain::Group>> groups_;
  std::vector<std::unique_ptr<MockDevice>> devices_;
};

}  // namespace iommusim::drivers
