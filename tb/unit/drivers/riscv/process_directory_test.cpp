// SPDX-License-Identifier: Apache-2.0
// Process directories: which depth is taken, and that tables come as they are needed.
#include "drivers/riscv/process_directory.h"

#include <cerrno>

#include "bench.h"

namespace iommusim::drivers::riscv::test {
namespace {

constexpr std::uint64_t kPd8 = hw::capabilities::kPd8Mask, kPd17 = hw::capabilities::kPd17Mask,
                        kPd20 = hw::capabilities::kPd20Mask;

TEST(ProcessDirectory, IsAsShallowAsThePasidsAllow) {
  Bench bench;
  const auto levels = [&](std::uint64_t capabilities, unsigned bits) {
    return ProcessDirectory(bench.ports, capabilities, bits).levels();
  };
  EXPECT_EQ(levels(kPd8 | kPd17 | kPd20, 8), 1U);
  EXPECT_EQ(levels(kPd8 | kPd17 | kPd20, 9), 2U);
  EXPECT_EQ(levels(kPd8 | kPd17 | kPd20, 17), 2U);
  EXPECT_EQ(levels(kPd8 | kPd17 | kPd20, 18), 3U);
  EXPECT_EQ(levels(kPd8 | kPd20, 9), 3U);
  EXPECT_EQ(levels(kPd20, 1), 3U);
  EXPECT_EQ(levels(kPd8, 20), 1U) << "the deepest that there is";
  EXPECT_EQ(ProcessDirectory::widest(0), 0U);
  EXPECT_EQ(ProcessDirectory::widest(kPd8), 8U);
  EXPECT_EQ(ProcessDirectory::widest(kPd8 | kPd17), 17U);
  EXPECT_EQ(ProcessDirectory::widest(kPd20), 20U);
}

TEST(ProcessDirectory, TablesComeAsTheyAreNeeded) {
  Bench bench;
  {
    ProcessDirectory directory(bench.ports, kPd20, 20);
    std::uint64_t first = 0, second = 0, again = 0;
    ASSERT_EQ(directory.locate(0, first), 0);
    EXPECT_EQ(bench.frames.frames_in_use(), 3U);
    ASSERT_EQ(directory.locate(255, second), 0);
    EXPECT_EQ(second, first + 255 * 16);
    EXPECT_EQ(bench.frames.frames_in_use(), 3U);
    ASSERT_EQ(directory.locate(256, second), 0);
    EXPECT_EQ(bench.frames.frames_in_use(), 4U);
    ASSERT_EQ(directory.locate(0xfffff, second), 0);
    EXPECT_EQ(bench.frames.frames_in_use(), 6U);
    ASSERT_EQ(directory.locate(0, again), 0);
    EXPECT_EQ(again, first);
    EXPECT_EQ(directory.pdtp() >> 60, 3U);
    std::vector<std::uint64_t> taken;
    while (const std::uint64_t frame = bench.frames.alloc(0)) taken.push_back(frame);
    EXPECT_EQ(directory.locate(0x40000, again), ENOMEM);
    for (const std::uint64_t frame : taken) bench.frames.free(frame, 0);
  }
  EXPECT_EQ(bench.frames.frames_in_use(), 0U);
}

}  // namespace
}  // namespace iommusim::drivers::riscv::test
