// SPDX-License-Identifier: Apache-2.0
// Register access: sizes and alignment, halves, WARL fields, absent registers, reset, ddtp and its busy bit.
#include "translate/registers.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace iommusim::translate {

using spec::Implementation;

TEST(RegisterAccess, MisalignedSpanningAndOddSizesAreIgnored) {
  Registers registers{Implementation{}};
  registers.write(spec::kCqbOffset, 8, 0x1234 << 10);
  EXPECT_EQ(registers.read(spec::kCqbOffset + 4, 8), 0U);
  EXPECT_EQ(registers.read(spec::kCqbOffset + 1, 4), 0U);
  EXPECT_EQ(registers.read(spec::kCqbOffset, 2), 0U);
  EXPECT_EQ(registers.read(spec::kCqhOffset, 8), 0U) << "spans cqh and cqt";
  registers.write(spec::kFqhOffset, 8, ~0ULL);
  EXPECT_EQ(registers.read(spec::kFqhOffset, 4), 0U);
  EXPECT_EQ(registers.read(4096, 4), 0U);
  EXPECT_EQ(registers.read(12, 4), 0U) << "custom";
  EXPECT_EQ(registers.read(628, 4), 0U) << "reserved";
}

TEST(RegisterAccess, HalvesOfWideRegisters) {
  Registers registers{Implementation{}};
  registers.write(spec::kFqbOffset + 4, 4, 0x003fffff);
  registers.write(spec::kFqbOffset, 4, 0xfffffc0a);
  EXPECT_EQ(registers.read(spec::kFqbOffset, 8), 0x003ffffffffffc0aULL);
  EXPECT_EQ(registers.read(spec::kFqbOffset + 4, 4), 0x003fffffU);
  registers.write(spec::kFqbOffset + 4, 4, 0);
  EXPECT_EQ(registers.read(spec::kFqbOffset, 8), 0xfffffc0aU);
}

TEST(RegisterAccess, ReadOnlyAndReservedBitsStay) {
  Registers registers{Implementation{}};
  const std::uint64_t capabilities = registers.read(spec::kCapabilitiesOffset, 8);
  EXPECT_EQ(capabilities, Implementation{}.capabilities());
  registers.write(spec::kCapabilitiesOffset, 8, 0);
  EXPECT_EQ(registers.read(spec::kCapabilitiesOffset, 8), capabilities);
  registers.write(spec::kCqbOffset, 8, ~0ULL);
  EXPECT_EQ(registers.read(spec::kCqbOffset, 8), 0x003ffffffffffc1fULL);
  registers.write(spec::kCqhOffset, 4, 3);
  registers.write(spec::kFqtOffset, 4, 3);
  EXPECT_EQ(registers.read(spec::kCqhOffset, 4), 0U);
  EXPECT_EQ(registers.read(spec::kFqtOffset, 4), 0U);
}

TEST(RegisterAccess, FctlFieldsAreWritableWhereTheCapabilityAllows) {
  Implementation implementation;
  Registers both{implementation};
  both.write(spec::kFctlOffset, 4, ~0ULL);
  EXPECT_EQ(both.read(spec::kFctlOffset, 4), spec::fctl::kWsi.mask());
  implementation.end = implementation.gxl_writeable = true;
  implementation.igs = spec::InterruptSupport::kMsi;
  Registers others{implementation};
  others.write(spec::kFctlOffset, 4, ~0ULL);
  EXPECT_EQ(others.read(spec::kFctlOffset, 4), spec::fctl::kBe.mask() | spec::fctl::kGxl.mask());
}

TEST(RegisterAccess, FctlDoesNotChangeInUse) {
  Registers registers{Implementation{}};
  registers.write(spec::kDdtpOffset, 8, 1);
  registers.finish_ddtp();
  registers.write(spec::kFctlOffset, 4, spec::fctl::kWsi.mask());
  EXPECT_EQ(registers.read(spec::kFctlOffset, 4), 0U);
}

TEST(RegisterAccess, AbsentRegistersReadZero) {
  Registers registers{Implementation{}};
  for (const std::uint32_t offset : {spec::kPqbOffset, spec::kIohpmcyclesOffset, spec::kIohpmctrOffset,
                                     spec::kIohpmevtOffset, spec::kTrReqIovaOffset, spec::kTrReqCtlOffset}) {
    registers.write(offset, 8, ~0ULL);
    EXPECT_EQ(registers.read(offset, 8), 0U) << offset;
  }
  for (const std::uint32_t offset : {spec::kPqhOffset, spec::kPqcsrOffset, spec::kIocountinhOffset,
                                     spec::kIocountovfOffset, spec::kIommuQosidOffset}) {
    registers.write(offset, 4, ~0ULL);
    EXPECT_EQ(registers.read(offset, 4), 0U) << offset;
  }
}

TEST(RegisterAccess, MessageTableFollowsVectorBitsAndIgs) {
  Implementation implementation;
  implementation.vector_bits = 1;
  Registers registers{implementation};
  registers.write(spec::kMsiAddrOffset + 16, 8, ~0ULL);
  registers.write(spec::kMsiAddrOffset + 32, 8, ~0ULL);
  registers.write(spec::kMsiVecCtlOffset, 4, ~0ULL);
  EXPECT_EQ(registers.read(spec::kMsiAddrOffset + 16, 8), 0x00fffffffffffffcULL);
  EXPECT_EQ(registers.read(spec::kMsiAddrOffset + 32, 8), 0U) << "only two vectors";
  EXPECT_EQ(registers.read(spec::kMsiVecCtlOffset, 4), 1U);
  registers.write(spec::kIcvecOffset, 8, ~0ULL);
  EXPECT_EQ(registers.read(spec::kIcvecOffset, 8), 0x11U) << "no page requests, no performance monitor";
  implementation.igs = spec::InterruptSupport::kWsi;
  implementation.fctl = spec::fctl::kWsi.mask();
  Registers wires{implementation};
  wires.write(spec::kMsiAddrOffset, 8, ~0ULL);
  EXPECT_EQ(wires.read(spec::kMsiAddrOffset, 8), 0U);
}

TEST(RegisterAccess, PerformanceMonitorRegisters) {
  Implementation implementation;
  implementation.hpm = true;
  implementation.num_hpm = 3;
  implementation.hpm_counter_bits = 40;
  Registers registers{implementation};
  registers.write(spec::kIohpmctrOffset, 8, ~0ULL);
  registers.write(spec::kIohpmctrOffset + 16, 8, ~0ULL);
  EXPECT_EQ(registers.read(spec::kIohpmctrOffset, 8), 0xffffffffffULL);
  EXPECT_EQ(registers.read(spec::kIohpmctrOffset + 16, 8), 0U) << "counters 1 and 2 exist";
  registers.write(spec::kIocountinhOffset, 4, ~0ULL);
  EXPECT_EQ(registers.read(spec::kIocountinhOffset, 4), 7U);
  registers.write(spec::kIohpmevtOffset, 8, 8);
  registers.write(spec::kIohpmevtOffset, 8, 1ULL << 63 | 9);
  EXPECT_EQ(registers.read(spec::kIohpmevtOffset, 8), 1ULL << 63 | 8) << "eventID 9 is beyond the limit";
  EXPECT_EQ(registers.read(spec::kIocountovfOffset, 4), 2U) << "shadow of iohpmevt1.OF";
}

TEST(Reset, PutsDocumentedValues) {
  Implementation implementation;
  implementation.reset_mode = spec::DdtMode::kBare;
  Registers registers{implementation};
  registers.write(spec::kCqbOffset, 8, ~0ULL);
  registers.write(spec::kCqcsrOffset, 4, 3);
  registers.finish_command_queue();
  registers.reset();
  EXPECT_EQ(registers.read(spec::kCqcsrOffset, 4), 0U);
  EXPECT_EQ(registers.read(spec::kCqbOffset, 8), 0U);
  EXPECT_EQ(registers.read(spec::kDdtpOffset, 8), 1U);
  EXPECT_EQ(registers.ddt_mode(), spec::DdtMode::kBare);
}

TEST(Ddtp, IsInForceWhenFinished) {
  Registers registers{Implementation{}};
  registers.write(spec::kDdtpOffset, 8, 0x1234 << 10 | 4);
  EXPECT_TRUE(registers.ddtp_busy());
  EXPECT_EQ(registers.read(spec::kDdtpOffset, 8), 0x1234U << 10 | 16 | 4);
  EXPECT_EQ(registers.ddt_mode(), spec::DdtMode::kOff);
  registers.write(spec::kDdtpOffset, 8, 1);  // ignored while busy
  registers.finish_ddtp();
  EXPECT_EQ(registers.ddt_mode(), spec::DdtMode::k3Lvl);
  EXPECT_EQ(registers.ddt_root(), 0x1234000U);
  EXPECT_EQ(registers.read(spec::kDdtpOffset, 8), 0x1234U << 10 | 4);
}

TEST(Ddtp, RefusesWhatTheSpecificationRefuses) {
  Implementation implementation;
  implementation.max_mode = spec::DdtMode::k2Lvl;
  Registers registers{implementation};
  for (const unsigned mode : {4U, 5U, 13U, 14U, 15U}) {
    registers.write(spec::kDdtpOffset, 8, 0x400 | mode);
    EXPECT_FALSE(registers.ddtp_busy()) << mode;
    EXPECT_EQ(registers.read(spec::kDdtpOffset, 8), 0U) << mode;
  }
  registers.write(spec::kDdtpOffset, 8, 0x400 | 2);
  registers.finish_ddtp();
  registers.write(spec::kDdtpOffset, 8, 0x400 | 3);
  EXPECT_FALSE(registers.ddtp_busy()) << "another depth must pass Off or Bare";
  EXPECT_EQ(registers.ddt_mode(), spec::DdtMode::k1Lvl);
  registers.write(spec::kDdtpOffset, 8, 0x400);
  registers.finish_ddtp();
  registers.write(spec::kDdtpOffset, 8, 0x400 | 3);
  registers.finish_ddtp();
  EXPECT_EQ(registers.ddt_mode(), spec::DdtMode::k2Lvl);
}

TEST(Ddtp, HalvesAreWrittenHighFirst) {
  Registers registers{Implementation{}};
  registers.write(spec::kDdtpOffset + 4, 4, 0x3);
  EXPECT_FALSE(registers.ddtp_busy()) << "iommu_mode was not written";
  registers.write(spec::kDdtpOffset, 4, 0x400 | 2);
  EXPECT_TRUE(registers.ddtp_busy());
  registers.finish_ddtp();
  EXPECT_EQ(registers.ddt_root(), (3ULL << 32 | 0x400) << 2);
}

RC_GTEST_PROP(RegisterAccess, AnyAccessLeavesUnnamedBitsZero, ()) {
  Implementation implementation;
  implementation.ats = implementation.hpm = implementation.dbg = implementation.qosid = true;
  implementation.num_hpm = 32;
  Registers registers{implementation};
  const auto writes = *rc::gen::container<std::vector<std::pair<std::uint32_t, std::uint64_t>>>(
      rc::gen::pair(rc::gen::inRange<std::uint32_t>(0, 1040), rc::gen::arbitrary<std::uint64_t>()));
  for (const auto& [offset, value] : writes) registers.write(offset, value & 1 ? 4 : 8, value);
  for (unsigned i = 0; i < spec::kRegisterCount; ++i) {
    std::uint64_t named = 0;
    for (unsigned access = 0; access < 5; ++access)
      named |= spec::bits_with_access(static_cast<spec::RegisterId>(i), static_cast<spec::FieldAccess>(access));
    for (unsigned element = 0; element < spec::kRegisters[i].count; ++element) {
      const std::uint32_t offset = spec::kRegisters[i].offset + element * spec::kRegisters[i].stride;
      RC_ASSERT((registers.read(offset, spec::kRegisters[i].bytes) & ~named) == 0U);
    }
  }
}

}  // namespace iommusim::translate
