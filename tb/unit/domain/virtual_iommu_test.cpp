// SPDX-License-Identifier: Apache-2.0
// A driver without any of the extras answers as the core expects of it.
#include "domain/virtual_iommu.h"

#include "domain/domain.h"

namespace iommusim::domain {
namespace {

struct PlainDevice final : Device {
  Group& group() override { return group_; }
  bool capable(Capability) const override { return false; }
  std::vector<ReservedRegion> reserved_regions() const override { return {}; }
  int alloc_domain(std::unique_ptr<Domain>&) override { return 0; }
  int attach(Domain&) override { return 0; }
  void block() override {}
  Group group_;
};

TEST(PlainDriver, OffersNothingBeyondPlainPageTables) {
  PlainDevice device;
  HwInfo info{7, {1}};
  EXPECT_EQ(device.hw_info(5, info), 0);
  EXPECT_EQ(info.type, 0U);
  EXPECT_TRUE(info.data.empty());
  EXPECT_EQ(device.pasid_width(), 0U);
  std::unique_ptr<Domain> domain;
  PagingRequest request;
  EXPECT_FALSE(device.takes_paging_requests());
  EXPECT_EQ(device.alloc_paging(request, domain), 0);
  request.flags = kTracksDirty;
  EXPECT_EQ(device.alloc_paging(request, domain), EOPNOTSUPP);
  request.flags = 0;
  request.data.length = 4;
  EXPECT_EQ(device.alloc_paging(request, domain), EOPNOTSUPP);
  std::unique_ptr<VirtualIommu> virtual_iommu;
  EXPECT_FALSE(device.can_nest());
  EXPECT_FALSE(device.offers_virtual_iommu(1));
  EXPECT_EQ(device.alloc_virtual_iommu({}, virtual_iommu), EOPNOTSUPP);
  NestedDomain nested;
  std::uint32_t done = 0;
  EXPECT_EQ(device.attach_any(nested), EINVAL);
  EXPECT_EQ(device.attach_pasid(1, nested), EINVAL);
  EXPECT_FALSE(nested.can_invalidate());
  EXPECT_EQ(nested.invalidate({}, done), EOPNOTSUPP);
}

TEST(PlainVirtualIommu, OffersNothing) {
  VirtualIommu plain;
  PlainDevice device;
  std::unique_ptr<NestedDomain> nested;
  std::unique_ptr<HwQueue> queue;
  std::uint32_t done = 0;
  EXPECT_FALSE(plain.can_nest());
  EXPECT_EQ(plain.alloc_nested(device, 0, {}, nested), EOPNOTSUPP);
  EXPECT_FALSE(plain.can_invalidate());
  EXPECT_EQ(plain.invalidate({}, done), EOPNOTSUPP);
  EXPECT_EQ(plain.add_device(device, 3), 0);
  EXPECT_FALSE(plain.offers_hw_queue(1));
  EXPECT_EQ(plain.alloc_hw_queue({}, queue), EOPNOTSUPP);
  EXPECT_EQ(HwQueue().depends_on(), nullptr);
}

}  // namespace
}  // namespace iommusim::domain
