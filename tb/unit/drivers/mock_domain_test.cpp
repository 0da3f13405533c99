// SPDX-License-Identifier: Apache-2.0
// MockDomain: largest leaves, overlaps, stale leaves until sync, agreement with a map of pages.
#include "drivers/mock_domain.h"

#include <rapidcheck/gtest.h>

#include <cerrno>

#include "hal/contradiction.h"
#include "hal/thread_os.h"

namespace iommusim::drivers {
namespace {

constexpr unsigned kRw = domain::kRead | domain::kWrite;

struct MockDomainTest : ::testing::Test {
  hal::ThreadOs os;
  MockIommu iommu{os};
};

TEST_F(MockDomainTest, RefusesWhatDoesNotFit) {
  MockDomain domain(iommu, 0);
  EXPECT_EQ(domain.map(0x1800, 0x1000, 0x1000, kRw), EINVAL);
  EXPECT_EQ(domain.map(0x1000, 0x1000, 0, kRw), EINVAL);
  EXPECT_EQ(domain.map(0x1000, 0x1000, 0x1000, 0), EINVAL);
  EXPECT_EQ(domain.map(1ULL << 47, 0x1000, 0x1000, kRw), EINVAL);
  EXPECT_EQ(domain.map(0x2000, 0x1000, 0x2000, kRw), 0);
  EXPECT_EQ(domain.map(0x1000, 0x9000, 0x2000, kRw), EEXIST);
  EXPECT_EQ(domain.map(0x3000, 0x9000, 0x1000, kRw), EEXIST);
  EXPECT_EQ(domain.mapped_bytes(), 0x2000U);
}

TEST_F(MockDomainTest, AClearedLeafIsReachableUntilSync) {
  MockDomain domain(iommu, 0);
  ASSERT_EQ(domain.map(0x2000, 0x5000, 0x2000, kRw), 0);
  domain::Gather gather;
  EXPECT_EQ(domain.unmap(0x2000, 0x1000, gather), 0x1000U);
  std::uint64_t spa = 0;
  EXPECT_FALSE(domain.iova_to_phys(0x2000, spa));
  EXPECT_TRUE(domain.reaches(0x5000));
  domain.sync(gather);
  EXPECT_FALSE(domain.reaches(0x5000));
  EXPECT_TRUE(domain.reaches(0x6000));
  EXPECT_TRUE(gather.empty());
}

TEST_F(MockDomainTest, AnInvalidationForgetsItsRangeUnlessTheHookRefusesIt) {
  MockDomain domain(iommu, 0);
  ASSERT_EQ(domain.map(0x2000, 0x5000, 0x3000, kRw), 0);
  domain::Gather gather;
  (void)domain.unmap(0x2000, 0x3000, gather);
  EXPECT_TRUE(domain.invalidate(0x3000, 0x3fff));
  EXPECT_TRUE(domain.reaches(0x5000));
  EXPECT_FALSE(domain.reaches(0x6000));
  iommu.set_hook([](MockCall, std::uint64_t) { return ETIMEDOUT; });
  EXPECT_FALSE(domain.invalidate(0x2000, 0x2fff));
  EXPECT_FALSE(domain.flush_all());
  EXPECT_FALSE(domain.sync(gather));
  EXPECT_TRUE(domain.reaches(0x5000));
  iommu.set_hook({});
  EXPECT_TRUE(domain.flush_all());
  EXPECT_FALSE(domain.reaches(0x5000));
}

TEST_F(MockDomainTest, ALargeLeafIsClearedWhole) {
  MockDomain domain(iommu, 0);
  ASSERT_EQ(domain.map(0x200000, 0x400000, 0x200000, kRw), 0);
  domain::Gather gather;
  EXPECT_EQ(domain.unmap(0x201000, 0x1000, gather), 0x200000U);
  EXPECT_EQ(gather.start, 0x200000U);
  EXPECT_EQ(gather.last, 0x3FFFFFU);
}

TEST_F(MockDomainTest, UsesTheLargestLeavesThatFit) {
  MockDomain domain(iommu, 0);
  ASSERT_EQ(domain.map(0x1FF000, 0x3FF000, 0x202000, kRw), 0);
  domain::Gather gather;
  EXPECT_EQ(domain.unmap(0x1FF000, 0x1000, gather), 0x1000U);
  EXPECT_EQ(domain.unmap(0x200000, 0x1000, gather), 0x200000U);
  EXPECT_EQ(domain.unmap(0x400000, 0x1000, gather), 0x1000U);
  EXPECT_EQ(domain.mapped_bytes(), 0U);
}

RC_GTEST_FIXTURE_PROP(MockDomainTest, AgreesWithAMapOfPages, ()) {
  MockDomain domain(iommu, 0);
  std::map<std::uint64_t, std::uint64_t> model;
  const auto steps = *rc::gen::container<std::vector<std::tuple<bool, std::uint8_t, std::uint8_t>>>(rc::gen::tuple(
      rc::gen::arbitrary<bool>(), rc::gen::inRange<std::uint8_t>(0, 30), rc::gen::inRange<std::uint8_t>(1, 6)));
  for (const auto& [mapping, page, count] : steps) {
    const std::uint64_t iova = page * 4096ULL;
    const std::uint64_t spa = 0x100000 + 8192ULL * page;
    std::uint64_t present = 0;
    for (std::uint64_t p = page; p < page + std::uint64_t{count}; ++p) present += model.count(p);
    if (mapping) {
      RC_ASSERT(domain.map(iova, spa, count * 4096ULL, kRw) == (present ? EEXIST : 0));
      for (std::uint64_t p = 0; !present && p < count; ++p) model[page + p] = spa + p * 4096;
    } else {
      domain::Gather gather;
      RC_ASSERT(domain.unmap(iova, count * 4096ULL, gather) == present * 4096);
      for (std::uint64_t p = 0; p < count; ++p) model.erase(page + p);
    }
    for (std::uint64_t p = 0; p < 40; ++p) {
      std::uint64_t found = 0;
      const bool mapped = domain.iova_to_phys(p * 4096 + 5, found);
      RC_ASSERT(mapped == (model.count(p) != 0));
      if (mapped) RC_ASSERT(found == model[p] + 5);
    }
  }
}

}  // namespace
}  // namespace iommusim::drivers
