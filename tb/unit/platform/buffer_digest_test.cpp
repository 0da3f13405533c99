// SPDX-License-Identifier: Apache-2.0
#include "platform/buffer_digest.h"

#include <gtest/gtest.h>

#include "hal/sparse_memory.h"

namespace iommusim::platform {
namespace {

struct BufferDigestTest : ::testing::Test {
  hal::SparseMemory memory;
  std::uint64_t digest_of(std::uint32_t space, std::uint64_t iova, std::uint64_t spa, bool enabled = true) {
    BufferDigest digest(enabled);
    digest.mapped(space, iova, 8192, spa);
    digest.finish(memory);
    return digest.value();
  }
};

TEST_F(BufferDigestTest, DependsOnSpaceIovaAndContentsAndNotOnThePlace) {
  memory.store64(0x100008, 42);
  memory.store64(0x200008, 42);
  memory.store64(0x300008, 43);
  const std::uint64_t reference = digest_of(1, 0x5000, 0x100000);
  EXPECT_EQ(digest_of(1, 0x5000, 0x200000), reference);
  EXPECT_NE(digest_of(1, 0x5000, 0x300000), reference);
  EXPECT_NE(digest_of(2, 0x5000, 0x100000), reference);
  EXPECT_NE(digest_of(1, 0x6000, 0x100000), reference);
  EXPECT_EQ(digest_of(1, 0x5000, 0x100000, false), 0U);
}

TEST_F(BufferDigestTest, TakesABufferWhenItIsUnmappedAndOnlyThen) {
  memory.store64(0x100000, 7);
  memory.store64(0x200000, 8);
  const auto both = [&](bool change_later) {
    BufferDigest digest(true);
    digest.mapped(1, 0x5000, 4096, 0x100000);
    digest.mapped(1, 0x9000, 4096, 0x200000);
    digest.unmapping(1, 0x5000, 4096, memory);
    if (change_later) memory.store64(0x100000, 99);  // somebody else's by now
    digest.finish(memory);
    return digest.value();
  };
  const std::uint64_t unchanged = both(false);
  EXPECT_EQ(both(true), unchanged);
}

TEST_F(BufferDigestTest, DoesNotDependOnTheOrderOfUnmapping) {
  memory.store64(0x100000, 7);
  memory.store64(0x200000, 8);
  const auto in_order = [&](std::uint64_t first, std::uint64_t second) {
    BufferDigest digest(true);
    digest.mapped(1, 0x5000, 4096, 0x100000);
    digest.mapped(1, 0x9000, 4096, 0x200000);
    digest.unmapping(1, first, 4096, memory);
    digest.unmapping(1, second, 4096, memory);
    return digest.value();
  };
  EXPECT_EQ(in_order(0x5000, 0x9000), in_order(0x9000, 0x5000));
}

}  // namespace
}  // namespace iommusim::platform
