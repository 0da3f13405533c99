// SPDX-License-Identifier: Apache-2.0
#include "tlm/link_params.h"

#include <gtest/gtest.h>

namespace iommusim::bus {
namespace {

std::uint64_t rate_of(std::uint32_t generation, std::uint32_t width, std::uint32_t overhead) {
  PcieParams params;
  params.generation = generation;
  params.width = width;
  params.dllp_overhead_ppm = overhead;
  return params.tlp_bytes_per_s();
}

TEST(LinkParams, GenerationAndWidth) {
  EXPECT_EQ(rate_of(1, 1, 0), 250'000'000U);
  EXPECT_EQ(rate_of(2, 4, 0), 2'000'000'000U);
  EXPECT_EQ(rate_of(3, 16, 0), 15'753'846'153U);
  EXPECT_EQ(rate_of(4, 16, 0), 31'507'692'307U);
  EXPECT_EQ(rate_of(5, 16, 0), 63'015'384'615U);
  EXPECT_EQ(rate_of(6, 16, 0), 118'000'000'000U);  // 128 GB/s, 236 of 256 bytes
  EXPECT_EQ(rate_of(6, 16, 500'000), 118'000'000'000U);
}

TEST(LinkParams, DllpOverheadPpmOfTheDefaultIsGen3x8At57900Mbps) {
  const double gbps = static_cast<double>(PcieParams{}.tlp_bytes_per_s()) * 8e-9;
  EXPECT_NEAR(gbps, 57.9, 0.0005);
  EXPECT_EQ(rate_of(1, 1, 100'000), 225'000'000U);
}

TEST(LinkParams, RateBytesPerSOverrides) {
  PcieParams params;
  params.rate_bytes_per_s = 123;
  EXPECT_EQ(params.tlp_bytes_per_s(), 123U);
}

TEST(LinkParams, Contradictions) {
  PcieParams params;
  EXPECT_EQ(params.contradiction(), nullptr);
  params.width = 3;
  EXPECT_NE(params.contradiction(), nullptr);
  params = {};
  params.max_payload_bytes = 96;
  EXPECT_NE(params.contradiction(), nullptr);
  params = {};
  params.max_read_request_bytes = 96;
  EXPECT_NE(params.contradiction(), nullptr);
  params = {};
  params.posted_data_credits = 15;
  EXPECT_NE(params.contradiction(), nullptr);
  params.posted_data_credits = 16;
  EXPECT_EQ(params.contradiction(), nullptr);
}

}  // namespace
}  // namespace iommusim::bus
