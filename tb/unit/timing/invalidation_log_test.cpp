// SPDX-License-Identifier: Apache-2.0
#include "timing/invalidation_log.h"

#include <gtest/gtest.h>

namespace iommusim::timing {
namespace {

bool is_device_3(const translate::Invalidation& invalidation) { return invalidation.device.value == 3; }

translate::Invalidation of_device(std::uint32_t device) {
  translate::Invalidation invalidation;
  invalidation.device = base::DeviceId(device);
  return invalidation;
}

TEST(InvalidationLog, LooksOnlyAtWhatCameLater) {
  InvalidationLog log;
  log.add(of_device(3));
  const std::uint64_t since = log.count();
  EXPECT_FALSE(log.any_since(since, is_device_3));
  log.add(of_device(4));
  EXPECT_FALSE(log.any_since(since, is_device_3));
  log.add(of_device(3));
  EXPECT_TRUE(log.any_since(since, is_device_3));
}

TEST(InvalidationLog, WhatItForgotCountsAsSelected) {
  InvalidationLog log;
  for (int i = 0; i < 64; ++i) log.add(of_device(4));
  EXPECT_FALSE(log.any_since(0, is_device_3));
  log.add(of_device(4));
  EXPECT_TRUE(log.any_since(0, is_device_3));
  EXPECT_FALSE(log.any_since(1, is_device_3));
}

}  // namespace
}  // namespace iommusim::timing
