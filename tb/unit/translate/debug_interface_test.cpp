// SPDX-License-Identifier: Apache-2.0
#include "translate/debug_interface.h"

#include <gtest/gtest.h>

#include "machine.h"

namespace iommusim::translate::test {

struct DebugMachine {
  Machine machine;
  AddressSpace space;
  DebugMachine()
      : machine([] {
          spec::Implementation implementation;
          implementation.dbg = true;
          return implementation;
        }()),
        space(machine.space(8, 0)) {
    machine.attach(7, space);
  }
  std::uint64_t response(std::uint64_t iova, std::uint64_t control) {
    machine.write(spec::kTrReqIovaOffset, iova);
    machine.write(spec::kTrReqCtlOffset, 7ULL << 40 | control | 1);
    EXPECT_EQ(machine.read(spec::kTrReqCtlOffset), 7ULL << 40 | control) << "done, and what was written";
    return machine.read(spec::kTrResponseOffset);
  }
};
constexpr std::uint64_t kNw = 8, kExe = 4;

TEST(DebugInterface, TranslatesAPage) {
  DebugMachine debug;
  debug.space.map(0x1000, 0x98765000, 0, flags::kAll & ~flags::kW);
  EXPECT_EQ(debug.response(0x1000, kNw), 0x98765ULL << 10);
  EXPECT_EQ(debug.response(0x1000, kNw | kExe), 0x98765ULL << 10);
  EXPECT_EQ(debug.response(0x1000, 0) & 1, 1U) << "NW = 0 wants write permission";
  const auto records = debug.machine.take_records();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].cause, 15U);
  EXPECT_EQ(debug.response(0x1000, kNw), 0x98765ULL << 10) << "a fault leaves nothing behind";
}

TEST(DebugInterface, ExecuteWantsReadToo) {
  DebugMachine debug;
  debug.space.map(0x1000, 0x3000, 0, flags::kAll & ~flags::kW & ~flags::kR);
  EXPECT_EQ(debug.response(0x1000, kNw | kExe) & 1, 1U);
}

TEST(DebugInterface, RequestTakesTheFields) {
  DebugMachine debug;
  debug.machine.registers.write(spec::kTrReqIovaOffset, 8, 0x123456789abcdfff);
  debug.machine.registers.write(spec::kTrReqCtlOffset, 8,
                                0xabcdefULL << 40 | 1ULL << 32 | 0x54321ULL << 12 | kNw | kExe | 2 | 1);
  ASSERT_TRUE(debug.machine.registers.debug_busy());
  debug.machine.registers.write(spec::kTrReqCtlOffset, 8, 0);
  const Request request = debug_request(debug.machine.registers);
  EXPECT_EQ(request.iova.value, 0x123456789abcd000U);
  EXPECT_EQ(request.device.value, 0xabcdefU) << "writes while busy are ignored";
  EXPECT_EQ(request.process.value, 0x54321U);
  EXPECT_TRUE(request.process_valid && request.privileged && request.execute && request.debug);
  EXPECT_EQ(request.access, Access::kRead);
}

// IOMMU 5.25 leaves Exe = 1 with NW = 0 open; here it asks for write permission and nothing else.
TEST(DebugInterface, ExecuteCountsWithNoWriteOnly) {
  DebugMachine debug;
  debug.machine.registers.write(spec::kTrReqCtlOffset, 8, kExe | 1);
  const Request request = debug_request(debug.machine.registers);
  EXPECT_FALSE(request.execute);
  EXPECT_EQ(request.access, Access::kWrite);
}

TEST(DebugInterface, ReportsTheMemoryType) {
  for (std::uint8_t pbmt = 0; pbmt < 3; ++pbmt) {
    Outcome outcome;
    outcome.kind = Outcome::Kind::kTranslated;
    outcome.pbmt = pbmt;
    outcome.spa = 0x98765123;
    EXPECT_EQ(debug_response(outcome), 0x98765ULL << 10 | std::uint64_t{pbmt} << 7);
  }
}

}  // namespace iommusim::translate::test
