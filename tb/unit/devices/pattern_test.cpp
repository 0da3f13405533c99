// SPDX-License-Identifier: Apache-2.0
#include "devices/pattern.h"

#include <rapidcheck/gtest.h>

namespace iommusim::devices {
namespace {

using Bytes = std::vector<std::uint8_t>;

TEST(Pattern, TellsSourceEventAndAddressApart) {
  const auto word = pattern_word(pattern_key(0x18, 3), 0x1000);
  EXPECT_NE(word, pattern_word(pattern_key(0x19, 3), 0x1000));
  EXPECT_NE(word, pattern_word(pattern_key(0x18, 4), 0x1000));
  EXPECT_NE(word, pattern_word(pattern_key(0x18, 3), 0x1008));
}

RC_GTEST_PROP(Pattern, CuttingAnAccessChangesNeitherBytesNorChecksum, (std::uint64_t key)) {
  const auto iova = *rc::gen::inRange<std::uint64_t>(0, 1U << 20);
  const auto size = *rc::gen::inRange<std::size_t>(1, 200);
  const auto cut = *rc::gen::inRange<std::size_t>(0, size / 8 + 1) * 8;  // from an aligned IOVA on
  const std::size_t first = std::min(size, cut + (8 - iova % 8) % 8);
  Bytes whole(size), parts(size);
  fill_pattern(key, iova, whole.data(), size);
  fill_pattern(key, iova, parts.data(), first);
  fill_pattern(key, iova + first, parts.data() + first, size - first);
  RC_ASSERT(whole == parts);
  RC_ASSERT(checksum(iova, whole.data(), size) ==
            checksum(iova, whole.data(), first) + checksum(iova + first, whole.data() + first, size - first));
}

RC_GTEST_PROP(Pattern, ChecksumSeesEveryByte, ()) {
  const auto iova = *rc::gen::inRange<std::uint64_t>(0, 64);
  auto data = *rc::gen::nonEmpty<Bytes>();
  const auto before = checksum(iova, data.data(), data.size());
  const auto where = *rc::gen::inRange<std::size_t>(0, data.size());
  data[where] = static_cast<std::uint8_t>(data[where] + *rc::gen::inRange(1, 256));
  RC_ASSERT(before != checksum(iova, data.data(), data.size()));
}

TEST(Digest, DoesNotDependOnOrderButOnWhoGotWhat) {
  using translate::Response;
  Digest one, other, swapped;
  one.add_response(1, Response::kSuccess);
  one.add_response(2, Response::kCompleterAbort);
  other.add_response(2, Response::kCompleterAbort);
  other.add_response(1, Response::kSuccess);
  swapped.add_response(1, Response::kCompleterAbort);
  swapped.add_response(2, Response::kSuccess);
  EXPECT_EQ(one.responses, other.responses);
  EXPECT_NE(one.responses, swapped.responses);
  one.add_read(1, 5);
  one.add_read(2, 6);
  other.add_read(2, 6);
  other.add_read(1, 5);
  swapped.add_read(1, 6);
  swapped.add_read(2, 5);
  EXPECT_EQ(one.reads, other.reads);
  EXPECT_NE(one.reads, swapped.reads);
}

}  // namespace
}  // namespace iommusim::devices
