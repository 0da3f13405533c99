// SPDX-License-Identifier: Apache-2.0
// The device directory: places of contexts in both formats and all depths, mode fallback, fixed root, no leaks.
#include "drivers/riscv/device_directory.h"

#include <rapidcheck/gtest.h>

#include <cerrno>
#include <set>

#include "bench.h"

namespace iommusim::drivers::riscv::test {
namespace {

struct DirectoryBench : Bench {
  explicit DirectoryBench(const ScriptedIommu::Script& script = {}, bool extended = false) : Bench(script) {
    EXPECT_EQ(directory.allocate_root(extended), 0);
  }
  std::uint64_t locate(std::uint32_t id) {
    std::uint64_t context = 0;
    EXPECT_EQ(directory.locate(id, context), 0) << id;
    return context;
  }
  std::uint64_t root() { return (hardware.peek(hw::kDdtpOffset) & hw::ddtp::kPpnMask) >> hw::ddtp::kPpnShift << 12; }
  DeviceDirectory directory{ports};
};

TEST(DeviceDirectory, TriesShallowerModesWhenRefused) {
  for (unsigned levels = 1; levels <= 3; ++levels) {
    ScriptedIommu::Script script;
    script.max_directory_mode = levels + 1;
    DirectoryBench bench(script);
    EXPECT_EQ(bench.directory.switch_on(3), 0);
    EXPECT_EQ(bench.directory.levels(), levels);
  }
  ScriptedIommu::Script script;
  script.max_directory_mode = 1;
  DirectoryBench none(script);
  EXPECT_EQ(none.directory.switch_on(3), ENODEV);
}

TEST(DeviceDirectory, AnotherDepthThanWrittenIsRefusedWithoutAnotherTry) {
  ScriptedIommu::Script script;
  script.max_directory_mode = 3;
  script.refused_mode = 2;
  DirectoryBench bench(script);
  (void)bench.hardware.take();
  EXPECT_EQ(bench.directory.switch_on(3), EINVAL);
  EXPECT_EQ(bench.hardware.take().size(), 1U);
}

TEST(DeviceDirectory, WaitsTenSecondsForDdtp) {
  ScriptedIommu::Script script;
  script.ddtp_busy_reads = 100;
  DirectoryBench slow(script);
  EXPECT_EQ(slow.directory.switch_on(3), 0);
  script.ddtp_busy_reads = ~0U;
  Bench stuck(script);
  DeviceDirectory directory(stuck.ports);
  EXPECT_EQ(directory.allocate_root(false), EBUSY);
  EXPECT_GE(stuck.os.now_ns(), kDdtpLimitNs);
  EXPECT_LT(stuck.os.now_ns(), kDdtpLimitNs + 10000000);
}

TEST(DeviceDirectory, AnIdMustFitTheDepth) {
  const unsigned base_bits[] = {7, 16, 24};
  const unsigned extended_bits[] = {6, 15, 24};
  for (const bool extended : {false, true})
    for (unsigned levels = 1; levels <= 3; ++levels) {
      DirectoryBench bench({}, extended);
      ASSERT_EQ(bench.directory.switch_on(levels), 0);
      const unsigned bits = (extended ? extended_bits : base_bits)[levels - 1];
      std::uint64_t context = 0;
      EXPECT_EQ(bench.directory.locate((1U << bits) - 1, context), 0);
      EXPECT_EQ(bench.directory.locate(1U << bits, context), ENODEV);
    }
}

// IOMMU 2.1: DDI[2], DDI[1], DDI[0] are 8, 9, 7 bits (base) or 9, 9, 6 (extended).
TEST(DeviceDirectory, ContextsLieWhereTheWalkOfTheSpecificationFindsThem) {
  for (const bool extended : {false, true}) {
    DirectoryBench bench({}, extended);
    ASSERT_EQ(bench.directory.switch_on(3), 0);
    const std::uint32_t id = 0xA5C3E7;
    const std::uint64_t context = bench.locate(id);
    const unsigned low = extended ? 6 : 7;
    std::uint64_t table = bench.root();
    for (const unsigned index : {id >> (low + 9), (id >> low) & 511}) {
      const std::uint64_t entry = bench.hardware.memory().load64(table + index * 8ULL);
      EXPECT_EQ(entry & 0x3FF, 1U);
      table = entry >> 10 << 12;
    }
    EXPECT_EQ(context, table + (id & ((1U << low) - 1)) * (extended ? 64ULL : 32ULL));
  }
}

TEST(DeviceDirectory, UsesTheRootThatHardwareInsistsOn) {
  ScriptedIommu::Script script;
  script.fixed_root = 0x70000;
  DirectoryBench bench(script);
  ASSERT_EQ(bench.directory.switch_on(1), 0);
  EXPECT_EQ(bench.locate(3), 0x70000000U + 3 * 32);
  EXPECT_EQ(bench.frames.frames_in_use(), 0U);
  bench.directory.release();
}

RC_GTEST_PROP(DeviceDirectory, ContextsOfDifferentIdsNeverOverlapAndAllMemoryComesBack, (bool extended)) {
  DirectoryBench bench({}, extended);
  RC_ASSERT(bench.directory.switch_on(3) == 0);
  const auto ids = *rc::gen::container<std::set<std::uint32_t>>(rc::gen::inRange<std::uint32_t>(0, 1U << 24));
  std::set<std::uint64_t> contexts;
  for (const auto id : ids) contexts.insert(bench.locate(id));
  RC_ASSERT(contexts.size() == ids.size());
  for (const auto context : contexts) RC_ASSERT(context % bench.directory.context_bytes() == 0U);
  for (const auto id : ids) RC_ASSERT(contexts.count(bench.locate(id)) == 1U);
  bench.directory.release();
  RC_ASSERT(bench.frames.frames_in_use() == 0U);
}

}  // namespace
}  // namespace iommusim::drivers::riscv::test
