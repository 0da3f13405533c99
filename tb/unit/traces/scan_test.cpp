// SPDX-License-Identifier: Apache-2.0
// The scanners at the borders of their ranges.
#include "traces/scan.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>

namespace iommusim::traces {
namespace {

template <class Value, class Scanner>
std::tuple<Scan, Value, std::size_t> scanned(Scanner scan, const std::string& text) {
  const char* at = text.c_str();
  Value value{};
  const Scan result = scan(at, value);
  return {result, value, static_cast<std::size_t>(at - text.c_str())};
}

TEST(Scan, DecimalKnowsWhere64BitsEnd) {
  const auto decimal = [](const std::string& text) { return scanned<std::uint64_t>(scan_decimal, text); };
  EXPECT_EQ(decimal("0,"), std::make_tuple(Scan::kOk, std::uint64_t{0}, std::size_t{1}));
  EXPECT_EQ(decimal("18446744073709551615,"), std::make_tuple(Scan::kOk, ~std::uint64_t{0}, std::size_t{20}));
  EXPECT_EQ(std::get<0>(decimal("18446744073709551616,")), Scan::kTooLarge);
  EXPECT_EQ(std::get<0>(decimal("99999999999999999999,")), Scan::kTooLarge);
  EXPECT_EQ(std::get<0>(decimal("100000000000000000000000,")), Scan::kTooLarge);
  EXPECT_EQ(decimal("000000000000000000000000000012,"), std::make_tuple(Scan::kOk, std::uint64_t{12}, std::size_t{30}));
  for (const char* text : {"", ",", "-1,", "+1,", " 1,", "x"}) EXPECT_EQ(std::get<0>(decimal(text)), Scan::kMalformed);
}

TEST(Scan, HexWantsItsPrefixAndLowerCase) {
  const auto hex = [](const std::string& text) { return scanned<std::uint64_t>(scan_hex, text); };
  EXPECT_EQ(hex("0xdeadbeef,"), std::make_tuple(Scan::kOk, std::uint64_t{0xdeadbeef}, std::size_t{10}));
  EXPECT_EQ(hex("0xffffffffffffffff\n"), std::make_tuple(Scan::kOk, ~std::uint64_t{0}, std::size_t{18}));
  EXPECT_EQ(std::get<0>(hex("0x10000000000000000,")), Scan::kTooLarge);
  EXPECT_EQ(std::get<2>(hex("0x1A,")), 3U);  // stops before the upper-case digit
  for (const char* text : {"", "0", "0x", "0x,", "12,", "0X12,", "x12"})
    EXPECT_EQ(std::get<0>(hex(text)), Scan::kMalformed);
}

TEST(Scan, SourceReadsBothForms) {
  const auto source = [](const std::string& text) {
    const char* at = text.c_str();
    Source value{0xeeee, 0xeeee};
    const Scan result = scan_source(at, value);
    return std::make_tuple(result, value.key(), static_cast<std::size_t>(at - text.c_str()));
  };
  EXPECT_EQ(source("00:03.0,"), std::make_tuple(Scan::kOk, 0x18U, std::size_t{7}));
  EXPECT_EQ(source("ff:1f.7,"), std::make_tuple(Scan::kOk, 0xffffU, std::size_t{7}));
  EXPECT_EQ(source("abcd:c0:00.1\n"), std::make_tuple(Scan::kOk, 0xabcdc001U, std::size_t{12}));
  EXPECT_EQ(std::get<0>(source("00:20.0,")), Scan::kTooLarge);
  EXPECT_EQ(std::get<0>(source("00:03.8,")), Scan::kTooLarge);
  for (const char* text : {"", "0", "00", "00:", "00:0", "00:03", "00:03.", "0:03.0", "000:00:03.0", "0000:00:3.0",
                           "0000:", "0000:00", "0000:00:", "00:03:0", "00.03.0", "FF:03.0", "00:03.g", "0000000003.0"})
    EXPECT_EQ(std::get<0>(source(text)), Scan::kMalformed) << text;
}

TEST(Scan, OpAgreesWithTheListOfLetters) {
  for (unsigned i = 0; i < kOps; ++i) {
    Op op{};
    const char* at = kOpLetters + i;
    EXPECT_EQ(scan_op(at, op), Scan::kOk);
    EXPECT_EQ(static_cast<unsigned>(op), i);
    EXPECT_EQ(at, kOpLetters + i + 1);
  }
  Op op{};
  const char* at = "r";
  EXPECT_EQ(scan_op(at, op), Scan::kMalformed);
}

}  // namespace
}  // namespace iommusim::traces
