// SPDX-License-Identifier: Apache-2.0
// Sources as text, and each rule that ties the fields of an event together: it holds at the border, breaks behind it.
#include "traces/event.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "trace_fixture.h"

namespace iommusim::traces {
namespace {

constexpr std::uint64_t kTop = ~std::uint64_t{0} - 4095;  // the last page

/// "bytes", "iova", "pa" for the column to blame, "" for a sound event.
std::string blamed(Op op, std::uint64_t iova, std::uint64_t bytes, bool has_pa = false, std::uint64_t pa = 0) {
  Event event;
  event.op = op;
  event.iova = iova;
  event.bytes = bytes;
  event.has_pa = has_pa;
  event.pa = pa;
  Field field;
  if (broken_rule(event, field) == nullptr) return "";
  return field == Field::kBytes ? "bytes" : field == Field::kIova ? "iova" : field == Field::kPa ? "pa" : "?";
}

TEST(Event, SourceTextIsTheShortestForm) {
  EXPECT_EQ(to_string(Source{0, 0x18}), "00:03.0");
  EXPECT_EQ(to_string(Source{1, 0xc001}), "0001:c0:00.1");
  EXPECT_EQ(parse_source("0000:00:03.0"), (Source{0, 0x18}));
  for (const char* text : {"", "00:03", "00:03.0 ", "00:03.8", "nvme"})
    EXPECT_NE(error_of([&] { parse_source(text); }), "no error") << text;
}

RC_GTEST_PROP(EventLaw, SourceTextReadsBack, (std::uint32_t key)) {
  const Source source = Source::from_key(key);
  RC_ASSERT(source.key() == key);
  RC_ASSERT(parse_source(to_string(source)) == source);
}

RC_GTEST_PROP(EventLaw, RandomEventsKeepTheRules, ()) {
  Field field;
  RC_ASSERT(broken_rule(random_event(0), field) == nullptr);
}

TEST(Event, AccessRules) {
  for (const Op op : {Op::kRead, Op::kWrite, Op::kAccess}) {
    EXPECT_EQ(blamed(op, 0x1001, 1), "");
    EXPECT_EQ(blamed(op, 0x1001, 0), "bytes");
    EXPECT_EQ(blamed(op, kTop + 4095, 1), "");
    EXPECT_EQ(blamed(op, kTop + 4095, 2), "bytes");
    EXPECT_EQ(blamed(op, 0x1001, 9000, true, 0x7001), "");
    EXPECT_EQ(blamed(op, 0x1001, 9000, true, 0x7002), "pa");
    EXPECT_EQ(blamed(op, 0x1000, 4096, true, kTop), "");
    EXPECT_EQ(blamed(op, 0x1000, 4097, true, kTop), "bytes");
  }
}

TEST(Event, MappingRules) {
  EXPECT_EQ(blamed(Op::kMap, 0x1000, 4096, true, 0x7000), "");
  EXPECT_EQ(blamed(Op::kMap, 0x1000, 0, true, 0x7000), "bytes");
  EXPECT_EQ(blamed(Op::kMap, 0x1000, 4095, true, 0x7000), "bytes");
  EXPECT_EQ(blamed(Op::kMap, 0x1001, 4096, true, 0x7001), "iova");
  EXPECT_EQ(blamed(Op::kMap, 0x1000, 4096, true, 0x7001), "pa");
  EXPECT_EQ(blamed(Op::kMap, 0x1000, 4096), "pa");
  EXPECT_EQ(blamed(Op::kMap, kTop, 4096, true, kTop), "");
  EXPECT_EQ(blamed(Op::kMap, kTop, 8192, true, 0), "bytes");
  EXPECT_EQ(blamed(Op::kMap, 0, 8192, true, kTop), "pa");
}

TEST(Event, UnmapAndInvalidateRules) {
  EXPECT_EQ(blamed(Op::kUnmap, 0x1000, 8192), "");
  EXPECT_EQ(blamed(Op::kUnmap, 0x1000, 0), "bytes");
  EXPECT_EQ(blamed(Op::kUnmap, 0x1000, 1), "bytes");
  EXPECT_EQ(blamed(Op::kUnmap, 0x1008, 4096), "iova");
  EXPECT_EQ(blamed(Op::kUnmap, 0x1000, 4096, true, 0x7000), "pa");
  EXPECT_EQ(blamed(Op::kInvalidate, 0x1000, 4096), "");
  EXPECT_EQ(blamed(Op::kInvalidate, 0, 0), "");
  EXPECT_EQ(blamed(Op::kInvalidate, 0x1000, 0), "iova");
  EXPECT_EQ(blamed(Op::kInvalidate, 0x1000, 4096, true, 0x7000), "pa");
}

TEST(Event, EqualityLooksAtAllButTheLine) {
  Event a;
  Event b;
  b.line = 7;
  EXPECT_TRUE(a == b);
  b.pa = 5;  // not valid
  EXPECT_TRUE(a == b);
  b.has_pa = a.has_pa = true;
  EXPECT_FALSE(a == b);
}

}  // namespace
}  // namespace iommusim::traces
