// SPDX-License-Identifier: Apache-2.0
// Numbers with units: exact conversion, and a refusal for what is not whole or has a foreign suffix.
#include "params/quantity.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <cstring>

namespace iommusim::params {
namespace {

using base::Unit;
using testing::HasSubstr;

std::int64_t integer_of(const char* text, Unit unit) {
  const IntegerQuantity parsed = parse_integer(text, unit);
  EXPECT_EQ(parsed.error, "") << text;
  return static_cast<std::int64_t>(parsed.value);
}

TEST(Quantity, BareNumbersAreInTheBaseUnit) {
  EXPECT_EQ(integer_of("0", Unit::kCount), 0);
  EXPECT_EQ(integer_of("42", Unit::kNs), 42);
  EXPECT_EQ(integer_of("-3", Unit::kCycle), -3);
  EXPECT_EQ(integer_of("+3", Unit::kCycle), 3);
  EXPECT_EQ(integer_of("010", Unit::kCount), 10);
  EXPECT_EQ(integer_of("0x1F", Unit::kBytes), 31);
  EXPECT_EQ(integer_of("1e3", Unit::kCount), 1000);
  EXPECT_EQ(integer_of("2.50e1", Unit::kCount), 25);
}

TEST(Quantity, SuffixesOfTheUnitScale) {
  EXPECT_EQ(integer_of("4KiB", Unit::kBytes), 4096);
  EXPECT_EQ(integer_of("4 KiB", Unit::kBytes), 4096);
  EXPECT_EQ(integer_of("1.5MiB", Unit::kBytes), 1572864);
  EXPECT_EQ(integer_of("0x10 GiB", Unit::kBytes), 17179869184);
  EXPECT_EQ(integer_of("2TiB", Unit::kBytes), 2199023255552);
  EXPECT_EQ(integer_of("1.5us", Unit::kNs), 1500);
  EXPECT_EQ(integer_of("3ms", Unit::kNs), 3000000);
  EXPECT_EQ(integer_of("3ns", Unit::kPs), 3000);
  EXPECT_EQ(integer_of("1.2GHz", Unit::kMhz), 1200);
  EXPECT_EQ(integer_of("400MHz", Unit::kMhz), 400);
  EXPECT_EQ(integer_of("64 bits", Unit::kBits), 64);
  EXPECT_EQ(integer_of("75%", Unit::kPercent), 75);
  EXPECT_EQ(integer_of("2GB/s", Unit::kBytesPerSecond), 2000000000);
}

TEST(Quantity, AForeignSuffixNamesTheAcceptedOnes) {
  EXPECT_EQ(parse_integer("10KiB", Unit::kNs).error,
            "'10KiB' has the wrong unit 'KiB'; expected ns, us, ms or s (a bare number is in ns)");
  EXPECT_THAT(parse_integer("10kb", Unit::kBytes).error, HasSubstr("expected B, KiB, MiB, GiB or TiB"));
  EXPECT_EQ(parse_integer("10ns", Unit::kCount).error, "'10ns' has the wrong unit 'ns'; expected a bare number");
  EXPECT_THAT(parse_real("10ns", Unit::kGbps).error, HasSubstr("expected Mbps, Gbps or Tbps"));
}

TEST(Quantity, WhatIsNotWholeIsRefused) {
  EXPECT_EQ(parse_integer("0.5", Unit::kCount).error, "'0.5' is not a whole number of count");
  EXPECT_EQ(parse_integer("0.5ns", Unit::kNs).error, "'0.5ns' is not a whole number of ns");
  EXPECT_EQ(parse_integer("1e-1", Unit::kNs).error, "'1e-1' is not a whole number of ns");
  EXPECT_EQ(parse_integer("500kHz", Unit::kMhz).error, "'500kHz' is not a whole number of MHz");
}

TEST(Quantity, WhatIsNoNumberIsRefused) {
  for (const char* text : {"", " ", "-", "ns", "x1", "0x", ".", "--1", "nan", "inf", "true", "1e", "1e999999999999"})
    EXPECT_NE(parse_integer(text, Unit::kCount).error, "") << text;
  for (const char* text : {"", "-", "nan", "inf", "0x10", ".", "1e400"})
    EXPECT_NE(parse_real(text, Unit::kCount).error, "") << text;
}

TEST(Quantity, TooLargeIsSaidAndNotWrapped) {
  EXPECT_THAT(parse_integer("999999999999999999999999999999999999999999", Unit::kCount).error, HasSubstr("too large"));
  EXPECT_THAT(parse_integer("1e300", Unit::kCount).error, HasSubstr("too large"));
  EXPECT_THAT(parse_integer("0xffffffffffffffffffffffffffffffff", Unit::kCount).error, HasSubstr("too large"));
  EXPECT_EQ(parse_integer("0e300", Unit::kCount).error, "");
}

RC_GTEST_PROP(Quantity, EveryIntegerReadsBack, (std::int64_t value, std::uint64_t large)) {
  RC_ASSERT(parse_integer(to_string(static_cast<__int128>(value)), Unit::kNs).value == value);
  RC_ASSERT(parse_integer(to_string(static_cast<__int128>(large)), Unit::kBytes).value == large);
}

RC_GTEST_PROP(Quantity, EveryFiniteDoubleReadsBackBitByBit, (std::uint64_t image)) {
  double value = 0;
  std::memcpy(&value, &image, sizeof value);
  RC_PRE(std::isfinite(value));
  const RealQuantity parsed = parse_real(to_string(value), Unit::kGbps);
  RC_ASSERT(parsed.error.empty());
  RC_ASSERT(std::memcmp(&parsed.value, &value, sizeof value) == 0);
}

TEST(Quantity, RealsScaleToo) {
  EXPECT_DOUBLE_EQ(parse_real("500Mbps", Unit::kGbps).value, 0.5);
  EXPECT_DOUBLE_EQ(parse_real("1.5 us", Unit::kNs).value, 1500.0);
  EXPECT_DOUBLE_EQ(parse_real("-2.5", Unit::kRatio).value, -2.5);
  EXPECT_DOUBLE_EQ(parse_real("5.", Unit::kRatio).value, 5.0);
  EXPECT_DOUBLE_EQ(parse_real(".5", Unit::kRatio).value, 0.5);
}

}  // namespace
}  // namespace iommusim::params
