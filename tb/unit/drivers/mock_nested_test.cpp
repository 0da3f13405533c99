// SPDX-License-Identifier: Apache-2.0
// Nested page tables of the mock hardware: their data, their four words, their invalidations (test_ops L.5).
#include "drivers/mock_nested.h"

#include <gtest/gtest.h>

#include "mock_program.h"

namespace iommusim::drivers {
namespace {

constexpr std::uint32_t kWord = 0xbadbeef;

struct MockNestedTest : ::testing::Test, MockProgram {
  int alloc(unsigned flags, const domain::UserData& data) { return device.alloc_nested(*parent, flags, data, nested); }
  MockNestedDomain& mock() { return static_cast<MockNestedDomain&>(*nested); }
  std::string words() {
    std::string out;
    for (std::uint32_t i = 0; i < 4; ++i) out += mock().word(i) == kWord ? 'x' : mock().word(i) == 0 ? '0' : '?';
    return out;
  }
  std::unique_ptr<domain::Domain> parent = paging(device, domain::kNestParent);
  std::unique_ptr<domain::NestedDomain> nested;
};

TEST_F(MockNestedTest, JudgesItsData) {
  const uapi::MockHwptData good{kWord, 77};
  EXPECT_EQ(alloc(0, data(1, good)), EOPNOTSUPP);
  EXPECT_EQ(alloc(0, data(uapi::kMockHwptType, good, 3)), EINVAL);
  EXPECT_EQ(alloc(0, data(uapi::kMockHwptType, good, 9)), EINVAL);
  EXPECT_EQ(alloc(0, {&process, uapi::kMockHwptType, 8, 0x999000}), EFAULT);
  EXPECT_EQ(alloc(domain::kTracksDirty, data(uapi::kMockHwptType, good)), EOPNOTSUPP);
  EXPECT_EQ(alloc(domain::kForPasids, data(uapi::kMockHwptType, good)), 0) << "the kind is for paging only";
  EXPECT_EQ(alloc(0, data(uapi::kMockHwptType, good, 4)), 0);
  EXPECT_EQ(words(), "xxxx");
}

TEST_F(MockNestedTest, AnInvalidationStopsAtTheFirstBadEntry) {
  using Entry = uapi::MockHwptInvalidate;
  ASSERT_EQ(alloc(0, data(uapi::kMockHwptType, uapi::MockHwptData{kWord, 0})), 0);
  std::uint32_t done = 9;
  EXPECT_EQ(mock().invalidate(array<Entry>(0xdadbeef, {}), done = 0), EINVAL);
  EXPECT_EQ(mock().invalidate(array<Entry>(uapi::kMockHwptInvalidateType, {}), done = 0), 0);
  EXPECT_EQ(mock().invalidate(array<Entry>(uapi::kMockHwptInvalidateType, {{0, 1}, {2, 0}, {0, 3}}), done = 0),
            EOPNOTSUPP);
  EXPECT_EQ(done, 1U);
  EXPECT_EQ(words(), "x0xx");
  EXPECT_EQ(mock().invalidate(array<Entry>(uapi::kMockHwptInvalidateType, {{0, 3}, {0, 4}}), done = 0), EINVAL);
  EXPECT_EQ(done, 1U);
  EXPECT_EQ(words(), "x0x0");
  EXPECT_EQ(mock().invalidate(array<Entry>(uapi::kMockHwptInvalidateType, {{1, 4}}), done = 0), EINVAL);
  EXPECT_EQ(done, 0U);
  domain::UserArray longer = array<Entry>(uapi::kMockHwptInvalidateType, {{1, 0}});
  for (const std::uint32_t length : {4U, 12U}) {
    longer.entry_length = length;
    EXPECT_EQ(mock().invalidate(longer, done = 0), EINVAL);
  }
  domain::UserArray nowhere = array<Entry>(uapi::kMockHwptInvalidateType, {{1, 0}, {1, 0}});
  nowhere.address = kData + 4096 - sizeof(Entry);
  const Entry first{0, 2};
  process.copy_to_user(nowhere.address, &first, sizeof first);
  EXPECT_EQ(mock().invalidate(nowhere, done = 0), EFAULT);
  EXPECT_EQ(done, 1U) << "the second lies beyond the program's memory";
  EXPECT_EQ(words(), "x000");
  EXPECT_EQ(mock().invalidate(array<Entry>(uapi::kMockHwptInvalidateType, {{1, 0}}), done = 0), 0);
  EXPECT_EQ(done, 1U);
  EXPECT_EQ(words(), "0000");
}

TEST_F(MockNestedTest, DmaGoesThroughTheParent) {
  ASSERT_EQ(alloc(0, data(uapi::kMockHwptType, uapi::MockHwptData{})), 0);
  ASSERT_EQ(parent->map(0x2000000, 0x9000, 0x1000, domain::kRead), 0);
  ASSERT_EQ(device.attach_any(*nested), 0);
  EXPECT_EQ(device.attached(), nullptr);
  EXPECT_EQ(device.translation(0), nested.get());
  std::uint64_t spa = 0;
  EXPECT_TRUE(device.access(0x2000010, false, spa));
  EXPECT_EQ(spa, 0x9010U);
  device.block();
}

}  // namespace
}  // namespace iommusim::drivers
