// SPDX-License-Identifier: Apache-2.0
// The mock vIOMMU: its data and region, devices and their caches, queues, events (test_ops L.4, L.5).
#include "drivers/mock_virtual_iommu.h"

#include <gtest/gtest.h>

#include "mock_program.h"

namespace iommusim::drivers {
namespace {

using CacheEntry = uapi::MockViommuInvalidate;

struct Ports final : domain::VirtualIommuPorts {
  int report_event(std::uint32_t type, const void* data, std::size_t bytes) override {
    last_type = type;
    std::memcpy(&last_event, data, bytes);
    return 0;
  }
  int announce_mmap(std::uint64_t spa, std::uint64_t bytes, std::uint64_t& offset) override {
    region = spa, region_bytes = bytes;
    offset = 0x7000;
    return 0;
  }
  void retract_mmap(std::uint64_t) override {}
  std::uint32_t last_type = 0, last_event = 0;
  std::uint64_t region = 0, region_bytes = 0;
};

struct MockVirtualIommuTest : ::testing::Test, MockProgram {
  int alloc(const domain::UserData& data) {
    return device.alloc_virtual_iommu({uapi::kMockViommuType, parent.get(), data, &ports}, viommu);
  }
  void make() { ASSERT_EQ(alloc({}), 0); }
  int invalidate(const std::vector<CacheEntry>& entries) {
    done = 0;
    return viommu->invalidate(array(uapi::kMockViommuInvalidateType, entries), done);
  }
  std::string cache() {
    std::string out;
    for (std::uint32_t i = 0; i < 4; ++i) out += device.cache_word(i) == 0xbaddad ? 'x' : '0';
    return out;
  }
  Ports ports;
  std::unique_ptr<domain::Domain> parent = paging(device, domain::kNestParent);
  std::unique_ptr<domain::VirtualIommu> viommu;
  std::uint32_t done = 0;
};

TEST_F(MockVirtualIommuTest, AnswersInTheDataAndInTheRegion) {
  const uapi::MockViommuData in{0x1234, 0, 0, 0};
  EXPECT_EQ(alloc(data(uapi::kMockViommuType, in, 7)), EINVAL);
  EXPECT_EQ(alloc(data(uapi::kMockViommuType, in, 25)), EINVAL);
  EXPECT_EQ(alloc({&process, uapi::kMockViommuType, 24, 0x999000}), EFAULT);
  ASSERT_EQ(alloc(data(uapi::kMockViommuType, in)), 0);
  uapi::MockViommuData out{};
  process.copy_from_user(&out, kData, sizeof out);
  EXPECT_EQ(out.out_data, 0x1234U);
  EXPECT_EQ(out.out_mmap_offset, 0x7000U);
  EXPECT_EQ(out.out_mmap_length, 8192U);
  EXPECT_EQ(ports.region_bytes, 8192U);
  EXPECT_EQ(memory.load64(ports.region), 0x1234U);
  const std::uint64_t in_use = frames.frames_in_use();
  viommu.reset();
  EXPECT_EQ(frames.frames_in_use(), in_use - 2);
}

TEST_F(MockVirtualIommuTest, AShorterStructureIsAnsweredAsFarAsItGoes) {
  ASSERT_EQ(alloc(data(uapi::kMockViommuType, uapi::MockViommuData{5, 0, 77, 88}, 8)), 0);
  uapi::MockViommuData out{};
  process.copy_from_user(&out, kData, sizeof out);
  EXPECT_EQ(out.out_data, 5U);
  EXPECT_EQ(out.out_mmap_offset, 77U);
}

TEST_F(MockVirtualIommuTest, FetchesAllEntriesBeforeTheFirst) {
  make();
  ASSERT_EQ(viommu->add_device(device, 0x99), 0);
  EXPECT_EQ(viommu->invalidate(array<CacheEntry>(0xdadbeef, {{0, 0x99, 0}}), done = 5), EINVAL);
  EXPECT_EQ(done, 0U);
  domain::UserArray wide = array<std::uint64_t>(uapi::kMockViommuInvalidateType, {0x9900000000, 1ULL << 33, 0, 0});
  wide.entry_length = 16, wide.count = 2;
  EXPECT_EQ(viommu->invalidate(wide, done = 5), E2BIG);
  EXPECT_EQ(done, 0U);
  EXPECT_EQ(cache(), "xxxx");
  domain::UserArray nowhere = array<CacheEntry>(uapi::kMockViommuInvalidateType, {{0, 0x99, 0}});
  nowhere.count = 1000;
  EXPECT_EQ(viommu->invalidate(nowhere, done = 5), EFAULT);
  EXPECT_EQ(done, 0U);
  EXPECT_EQ(cache(), "xxxx");
  domain::UserArray shorter = array<std::uint64_t>(uapi::kMockViommuInvalidateType, {0x9900000000});
  EXPECT_EQ(viommu->invalidate(shorter, done), 0) << "zero-extended: word 0";
  EXPECT_EQ(cache(), "0xxx");
}

TEST_F(MockVirtualIommuTest, StopsAtTheFirstBadEntry) {
  make();
  ASSERT_EQ(viommu->add_device(device, 0x99), 0);
  EXPECT_EQ(invalidate({}), 0);
  EXPECT_EQ(invalidate({{0, 0x99, 1}, {2, 0x99, 0}}), EOPNOTSUPP);
  EXPECT_EQ(done, 1U);
  EXPECT_EQ(invalidate({{0, 0x98, 4}}), EINVAL);
  EXPECT_EQ(invalidate({{0, 0x99, 3}, {0, 0x98, 0}}), EINVAL);
  EXPECT_EQ(done, 1U);
  EXPECT_EQ(cache(), "x0x0");
  EXPECT_EQ(invalidate({{1, 0x99, 0}}), 0);
  EXPECT_EQ(cache(), "0000");
  viommu->remove_device(device, 0x99);
  EXPECT_EQ(invalidate({{1, 0x99, 0}}), EINVAL);
}

TEST_F(MockVirtualIommuTest, QueuesAscend) {
  make();
  const auto queue = [&](std::uint32_t index, std::unique_ptr<domain::HwQueue>& out) {
    return viommu->alloc_hw_queue({uapi::kMockHwQueueType, index, 0, 4096, 0x9000}, out);
  };
  EXPECT_TRUE(viommu->offers_hw_queue(uapi::kMockHwQueueType));
  EXPECT_FALSE(viommu->offers_hw_queue(1));
  std::unique_ptr<domain::HwQueue> first, second, third;
  EXPECT_EQ(queue(2, first), EINVAL);
  EXPECT_EQ(queue(1, second), EIO);
  EXPECT_EQ(queue(0, first), 0);
  EXPECT_EQ(queue(0, third), EEXIST);
  EXPECT_EQ(queue(1, second), 0);
  EXPECT_EQ(first->depends_on(), nullptr);
  EXPECT_EQ(second->depends_on(), first.get());
  EXPECT_EQ(queue(1, third), EEXIST);
  second.reset();
  first.reset();
  EXPECT_EQ(queue(0, first), 0);
}

TEST_F(MockVirtualIommuTest, ADeviceInsideReportsUnderItsNumber) {
  make();
  std::unique_ptr<domain::NestedDomain> nested;
  ASSERT_EQ(viommu->alloc_nested(device, 0, data(uapi::kMockHwptType, uapi::MockHwptData{}), nested), 0);
  EXPECT_EQ(device.attach_any(*nested), ENOENT) << "no vDEVICE yet";
  ASSERT_EQ(viommu->add_device(device, 0x99), 0);
  EXPECT_EQ(device.report_virtual_event(), ENOENT) << "not attached";
  ASSERT_EQ(device.attach_any(*nested), 0);
  EXPECT_EQ(device.report_virtual_event(), 0);
  EXPECT_EQ(ports.last_type, 0xbeefbeefU);
  EXPECT_EQ(ports.last_event, 0x99U);
  device.block();
  EXPECT_EQ(device.report_virtual_event(), ENOENT);
  viommu->remove_device(device, 0x99);
  ASSERT_EQ(viommu->add_device(device, 0), 0);
  ASSERT_EQ(device.attach_any(*nested), 0);
  EXPECT_EQ(device.report_virtual_event(), ENOENT) << "number 0";
  device.block();
}

}  // namespace
}  // namespace iommusim::drivers
