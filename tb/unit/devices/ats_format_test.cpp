// SPDX-License-Identifier: Apache-2.0
#include "devices/ats_format.h"

#include <gtest/gtest.h>

namespace iommusim::devices {
namespace {

AtsRange range(std::uint64_t payload) {
  translate::DeviceMessage message;
  message.payload = payload;
  return range_of(message);
}

TEST(AtsFormat, TheSizeOfARangeIsCodedByItsLowestZeroBit) {
  constexpr std::uint64_t kS = 1 << 11;
  const struct {
    std::uint64_t payload, first, last;
  } rows[] = {
      {0x12345000, 0x12345000, 0x12345fff},      {0x12344000 | kS, 0x12344000, 0x12345fff},
      {0x12345000 | kS, 0x12344000, 0x12347fff}, {0x401ff000 | kS, 0x40000000, 0x403fffff},
      {0x7ffffffffffff000 | kS, 0, ~0ULL},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(range(row.payload).first, row.first) << std::hex << row.payload;
    EXPECT_EQ(range(row.payload).last, row.last) << std::hex << row.payload;
    EXPECT_FALSE(range(row.payload).every_process);
  }
  EXPECT_TRUE(range(1).every_process);
}

TEST(AtsFormat, ARangeTouchesPagesThatOverlapItInItsAddressSpace) {
  AtsRange of_process = range(0x5000);
  EXPECT_TRUE(of_process.touches(0x5000, 12, false, 0));
  EXPECT_FALSE(of_process.touches(0x6000, 12, false, 0));
  EXPECT_TRUE(of_process.touches(0x0, 21, false, 0)) << "a superpage around it";
  EXPECT_FALSE(of_process.touches(0x5000, 12, true, 7));
  of_process.process_valid = true;
  of_process.process = 7;
  EXPECT_TRUE(of_process.touches(0x5000, 12, true, 7));
  EXPECT_FALSE(of_process.touches(0x5000, 12, true, 8));
  EXPECT_FALSE(of_process.touches(0x5000, 12, false, 0));
  of_process.every_process = true;
  EXPECT_TRUE(of_process.touches(0x5000, 12, true, 8));
}

TEST(AtsFormat, ResponsesAndPageRequests) {
  translate::DeviceMessage message;
  message.payload = 0x1ffULL << 32 | 1ULL << 44;
  EXPECT_EQ(group_of(message), 0x1ffU);
  EXPECT_EQ(response_of(message), PageResponse::kInvalidRequest);
  message.payload = 7ULL << 44;
  EXPECT_EQ(response_of(message), PageResponse::kFailure);
  EXPECT_EQ(page_request_body(0x12345678, true, 3, true), 0x12345000U | 3 << 3 | 4 | 2);
  EXPECT_EQ(page_request_body(0x12345678, false, 3, false), 0x12345000U | 3 << 3 | 1);
}

}  // namespace
}  // namespace iommusim::devices
