// SPDX-License-Identifier: Apache-2.0
// GET_HW_INFO: uapi 5.
#include <gtest/gtest.h>

#include "guest_world.h"

namespace iommusim::iommufd {
namespace {

struct HwInfoTest : ::testing::Test {
  int ask(uapi::IommuGetHwInfo& argument) { return world.call(uapi::kIommuGetHwInfo, argument); }
  uapi::IommuGetHwInfo argument(std::uint32_t length, std::uint64_t at) {
    return {0, 0, world.dev, length, at, 0, 0, {0, 0, 0}, 0};
  }
  GuestWorld world;
};

TEST_F(HwInfoTest, AnswersInOrder) {
  uapi::IommuGetHwInfo bad{0, 2, 99, 8, 0x123000, 5, 0, {0, 1, 0}, 0};
  EXPECT_EQ(ask(bad), EOPNOTSUPP);  // unknown flag
  bad.flags = uapi::kIommuHwInfoInputType;
  EXPECT_EQ(ask(bad), EOPNOTSUPP);  // reserved
  bad.reserved[1] = 0;
  EXPECT_EQ(ask(bad), ENOENT);
  bad.dev_id = world.space;
  EXPECT_EQ(ask(bad), ENOENT) << "not a device";
  bad.dev_id = world.dev;
  EXPECT_EQ(ask(bad), EOPNOTSUPP) << "the driver does not know this type";
  bad.data_type = kGuestType;
  EXPECT_EQ(ask(bad), EFAULT);
  bad.flags = 0;
  bad.data_type = 5;
  EXPECT_EQ(ask(bad), EFAULT) << "without the flag the type is not looked at";
  bad.data_uptr = kReadOnly;
  EXPECT_EQ(ask(bad), EFAULT);
}

TEST_F(HwInfoTest, TheBufferIsFilledToItsEnd) {
  const std::uint64_t at = world.put({1, 1, 1, 1, 1});
  uapi::IommuGetHwInfo info = argument(16, at);
  EXPECT_EQ(ask(info), 0);
  EXPECT_EQ(info.data_len, 8U);
  EXPECT_EQ(info.data_type, kGuestType);
  EXPECT_EQ(world.word_at(at), 0x55667788U);
  EXPECT_EQ(world.word_at(at + 4), 0x11223344U);
  EXPECT_EQ(world.word_at(at + 8), 0U);
  EXPECT_EQ(world.word_at(at + 12), 0U);
  EXPECT_EQ(world.word_at(at + 16), 1U) << "and not beyond";
  info = argument(4, world.put({1, 1}));
  const std::uint64_t there = info.data_uptr;
  EXPECT_EQ(ask(info), 0);
  EXPECT_EQ(info.data_len, 8U) << "the driver's own length";
  EXPECT_EQ(world.word_at(there + 4), 1U);
  info = argument(0, 0);
  EXPECT_EQ(ask(info), 0) << "only capabilities";
  info = argument(8192, kArguments + 63 * kPage);
  EXPECT_EQ(ask(info), EFAULT) << "the rest of the buffer cannot be cleared";
}

TEST_F(HwInfoTest, CapabilitiesAndPasids) {
  uapi::IommuGetHwInfo info = argument(0, 0);
  EXPECT_EQ(ask(info), 0);
  EXPECT_EQ(info.out_capabilities, uapi::kIommuHwCapDirtyTracking);
  EXPECT_EQ(info.out_max_pasid_log2, 4U);
  GuestOptions options;
  options.pasid_width = 0;
  options.capabilities = {domain::Capability::kCacheCoherency, domain::Capability::kIsolatedMsi,
                          domain::Capability::kPasidExecute, domain::Capability::kPasidPrivileged};
  GuestWorld other(options);
  info = argument(0, 0);
  EXPECT_EQ(other.call(uapi::kIommuGetHwInfo, info), 0);
  EXPECT_EQ(info.out_capabilities, uapi::kIommuHwCapPasidExecute | uapi::kIommuHwCapPasidPrivileged);
  EXPECT_EQ(info.out_max_pasid_log2, 0U);
}

TEST_F(HwInfoTest, ADriverThatTellsNothing) {
  World plain;
  const ObjectId dev = plain.bound(plain.device);
  const std::uint64_t at = plain.slot();
  uapi::IommuGetHwInfo info{0, uapi::kIommuHwInfoInputType, dev, 4, at, 9, 0, {0, 0, 0}, 0};
  const std::uint32_t one = 1;
  plain.user.copy_to_user(at, &one, 4);
  EXPECT_EQ(plain.call(uapi::kIommuGetHwInfo, info), 0);
  EXPECT_EQ(info.data_len, 0U);
  EXPECT_EQ(info.data_type, 0U);
  std::uint32_t word = 1;
  plain.user.copy_from_user(&word, at, 4);
  EXPECT_EQ(word, 0U) << "cleared all the same";
  EXPECT_EQ(device_unbind(*plain.context, dev), 0);
}

}  // namespace
}  // namespace iommusim::iommufd
