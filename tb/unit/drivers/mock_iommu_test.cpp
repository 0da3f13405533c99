// SPDX-License-Identifier: Apache-2.0
// MockIommu: groups, hooks that fail the n-th call, hooks that park a call while another one runs.
#include "drivers/mock_iommu.h"

#include <cerrno>
#include <future>
#include <thread>

#include "drivers/mock_device.h"
#include "hal/thread_os.h"

namespace iommusim::drivers {
namespace {

struct MockIommuTest : ::testing::Test {
  hal::ThreadOs os;
  MockIommu iommu{os};
};

TEST_F(MockIommuTest, EqualNumbersShareAGroup) {
  MockDeviceOptions in_seven;
  in_seven.group = 7;
  MockDevice& a = iommu.add_device(in_seven);
  MockDevice& b = iommu.add_device(in_seven);
  MockDevice& c = iommu.add_device();
  EXPECT_EQ(&a.group(), &b.group());
  EXPECT_NE(&a.group(), &c.group());
  EXPECT_EQ(a.group().devices, (std::vector<domain::Device*>{&a, &b}));
}

TEST_F(MockIommuTest, FailsTheNthCallOnly) {
  MockDevice& device = iommu.add_device();
  std::unique_ptr<domain::Domain> domain;
  ASSERT_EQ(device.alloc_domain(domain), 0);
  iommu.fail_nth(MockCall::kMap, 2, ENOMEM);
  EXPECT_EQ(domain->map(0x1000, 0x1000, 0x1000, domain::kRead), 0);
  EXPECT_EQ(domain->map(0x2000, 0x1000, 0x1000, domain::kRead), ENOMEM);
  EXPECT_EQ(domain->map(0x2000, 0x1000, 0x1000, domain::kRead), 0);
  EXPECT_EQ(iommu.calls(MockCall::kMap), 3U);
  EXPECT_EQ(iommu.live_domains(), 1U);
  domain.reset();
  EXPECT_EQ(iommu.live_domains(), 0U);
}

TEST_F(MockIommuTest, AParkedMapDoesNotHoldUpAnother) {
  MockDevice& device = iommu.add_device();
  std::unique_ptr<domain::Domain> domain;
  ASSERT_EQ(device.alloc_domain(domain), 0);
  std::promise<void> parked;
  std::promise<void> release;
  iommu.set_hook([&](MockCall call, std::uint64_t number) {
    if (call == MockCall::kMap && number == 1) {
      parked.set_value();
      release.get_future().wait();
    }
    return 0;
  });
  std::thread first([&] { EXPECT_EQ(domain->map(0x1000, 0x1000, 0x1000, domain::kRead), 0); });
  parked.get_future().wait();
  EXPECT_EQ(domain->map(0x2000, 0x2000, 0x1000, domain::kRead), 0);
  std::uint64_t spa = 0;
  EXPECT_FALSE(domain->iova_to_phys(0x1000, spa));
  release.set_value();
  first.join();
  EXPECT_TRUE(domain->iova_to_phys(0x1000, spa));
}

}  // namespace
}  // namespace iommusim::drivers
