// SPDX-License-Identifier: Apache-2.0
#include "devices/atc_cache.h"

#include <gtest/gtest.h>

namespace iommusim::devices {
namespace {

AtcEntry entry(std::uint64_t target, std::uint8_t size_log2, bool write = true) {
  AtcEntry result;
  result.target = target;
  result.size_log2 = size_log2;
  result.read = true;
  result.write = write;
  return result;
}

AtsRange page(std::uint64_t address) {
  AtsRange range;
  range.first = address;
  range.last = address | 0xfff;
  return range;
}

TEST(AtcCache, FindsEachSizeAndTheOffsetInIt) {
  AtcCache cache({8, 0, timing::Policy::kLru, 1, 1}, 1);
  cache.fill(0x5123, {}, entry(0x95000, 12));
  cache.fill(0x200000, {}, entry(0x40000000, 21));
  ASSERT_NE(cache.find(0x5fff, {}, true, false), nullptr);
  EXPECT_EQ(cache.find(0x5fff, {}, true, false)->target_of(0x5fff), 0x95fffU);
  EXPECT_EQ(cache.find(0x345678, {}, true, false)->target_of(0x345678), 0x40145678U);
  EXPECT_EQ(cache.find(0x6000, {}, false, false), nullptr);
}

TEST(AtcCache, WhatIsNotPermittedIsNotFound) {
  AtcCache cache({8, 0, timing::Policy::kLru, 1, 1}, 1);
  cache.fill(0x5000, {}, entry(0x95000, 12, false));
  EXPECT_NE(cache.find(0x5000, {}, false, false), nullptr);
  EXPECT_EQ(cache.find(0x5000, {}, true, false), nullptr);
  EXPECT_EQ(cache.find(0x5000, {}, false, true), nullptr);
  cache.fill(0x5000, {}, entry(0x95000, 12));
  EXPECT_NE(cache.find(0x5000, {}, true, false), nullptr);
  EXPECT_EQ(cache.size(), 1U);
}

TEST(AtcCache, SpacesAreApart) {
  AtcCache cache({8, 0, timing::Policy::kLru, 1, 1}, 1);
  const AtcSpace seven{true, false, 7}, privileged{true, true, 7};
  cache.fill(0x5000, seven, entry(0x95000, 12));
  EXPECT_NE(cache.find(0x5000, seven, true, false), nullptr);
  EXPECT_EQ(cache.find(0x5000, privileged, true, false), nullptr);
  EXPECT_EQ(cache.find(0x5000, {}, true, false), nullptr);
}

TEST(AtcCache, ARangeRemovesWhatItTouches) {
  AtcCache cache({8, 2, timing::Policy::kFifo, 1, 1}, 1);
  cache.fill(0x5000, {}, entry(0x95000, 12));
  cache.fill(0x6000, {}, entry(0x96000, 12));
  cache.fill(0x200000, {}, entry(0x40000000, 21));
  EXPECT_EQ(cache.remove(page(0x5000), {}), 1U);
  EXPECT_EQ(cache.remove(page(0x3ff000), {}), 1U) << "a page inside of the superpage";
  EXPECT_EQ(cache.size(), 1U);
  EXPECT_EQ(cache.find(0x345678, {}, true, false), nullptr);
  cache.clear();
  EXPECT_EQ(cache.size(), 0U);
}

TEST(AtcCache, FunctionsAreApartButShareSets) {
  AtcCache cache({4, 2, timing::Policy::kLru, 1, 1}, 1);
  AtcSpace one, two, three;
  one.device = 1, two.device = 2, three.device = 3;
  cache.fill(0x5000, one, entry(0x95000, 12));
  cache.fill(0x5000, two, entry(0x96000, 12));
  EXPECT_EQ(cache.find(0x5000, one, true, false)->target, 0x95000U);
  EXPECT_EQ(cache.find(0x5000, two, true, false)->target, 0x96000U);
  EXPECT_EQ(cache.remove(page(0x5000), base::DeviceId(2)), 1U);
  cache.fill(0x5000, two, entry(0x96000, 12));
  EXPECT_TRUE(cache.fill(0x5000, three, entry(0x97000, 12))) << "two ways, whoever asks";
  EXPECT_EQ(cache.find(0x5000, one, true, false), nullptr);
}

TEST(AtcCache, OffHoldsNothing) {
  AtcCache cache({0, 0, timing::Policy::kLru, 1, 1}, 1);
  EXPECT_FALSE(cache.fill(0x5000, {}, entry(0x95000, 12)));
  EXPECT_EQ(cache.find(0x5000, {}, true, false), nullptr);
}

}  // namespace
}  // namespace iommusim::devices
