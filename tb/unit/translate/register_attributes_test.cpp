// SPDX-License-Identifier: Apache-2.0
// Every field of every register against its attribute (RO, RW, WARL, RW1C), whatever the register does besides.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <functional>

#include "machine.h"

namespace iommusim::translate::test {

using spec::FieldAccess;
using spec::Implementation;
using spec::RegisterId;

Implementation with_everything() {
  Implementation implementation;
  implementation.ats = implementation.hpm = implementation.dbg = implementation.qosid = true;
  implementation.end = implementation.gxl_writeable = true;
  implementation.num_hpm = 32;
  implementation.hpm_event_limit = 32767;
  implementation.qosid_mask = 0xffffffff;
  return implementation;
}

/// What a write started comes to its end.
void finish_all(Registers& registers) {
  if (registers.ddtp_busy()) registers.finish_ddtp();
  if (registers.command_queue_busy()) registers.finish_command_queue();
  if (registers.fault_queue_busy()) registers.finish_fault_queue();
  if (registers.page_request_queue_busy()) registers.finish_page_request_queue();
  if (registers.debug_busy()) registers.finish_debug(0);
}

/// Calls `check(registers, id, offset, bytes)` for each element of each register, each time on new registers.
void for_each_register(const std::function<void(Registers&, RegisterId, std::uint32_t, unsigned)>& check) {
  for (unsigned i = 0; i < spec::kRegisterCount; ++i) {
    const spec::RegisterInfo& info = spec::kRegisters[i];
    for (unsigned element = 0; element<info.count; element += info.count> 1 ? info.count - 1 : 1) {
      Registers registers(with_everything());
      check(registers, static_cast<RegisterId>(i), info.offset + element * info.stride, info.bytes);
    }
  }
}

TEST(RegisterAttributes, ReadOnlyFieldsDoNotChange) {
  for (const bool queues_on : {false, true})
    for_each_register([&](Registers& registers, RegisterId id, std::uint32_t offset, unsigned bytes) {
      if (queues_on)
        for (const std::uint32_t csr : {spec::kCqcsrOffset, spec::kFqcsrOffset, spec::kPqcsrOffset})
          registers.write(csr, 4, 1);
      finish_all(registers);
      const std::uint64_t before = registers.read(offset, bytes);
      registers.write(offset, bytes, before ^ spec::bits_with_access(id, FieldAccess::kReadOnly));
      finish_all(registers);
      EXPECT_EQ(registers.read(offset, bytes), before) << offset;
    });
}

// RW takes any value. WARL takes what is legal: what it reads as is legal, so it stays when it is written.
RC_GTEST_PROP(RegisterAttributes, WrittenFieldsAreReadBack, ()) {
  const auto value = *rc::gen::arbitrary<std::uint64_t>();
  for_each_register([&](Registers& registers, RegisterId id, std::uint32_t offset, unsigned bytes) {
    registers.write(offset, bytes, value);
    finish_all(registers);
    const std::uint64_t written = registers.read(offset, bytes);
    const std::uint64_t free = spec::bits_with_access(id, FieldAccess::kReadWrite);
    RC_ASSERT((written & free) == (value & free));
    registers.write(offset, bytes, written);
    finish_all(registers);
    const std::uint64_t legal = free | spec::bits_with_access(id, FieldAccess::kWarl);
    RC_ASSERT((registers.read(offset, bytes) & legal) == (written & legal));
  });
}

/// `status` is set: a 0 leaves it, ones elsewhere leave it, a 1 clears it.
void expect_cleared_by_one(Registers& registers, std::uint32_t offset, std::uint64_t statuses, spec::Field status,
                           std::uint64_t kept = 0) {
  EXPECT_TRUE(status.is_set(registers.read(offset, 4))) << offset;
  registers.write(offset, 4, kept);
  registers.write(offset, 4, kept | (statuses & ~status.mask()));
  EXPECT_TRUE(status.is_set(registers.read(offset, 4))) << offset;
  registers.write(offset, 4, kept | status.mask());
  EXPECT_FALSE(status.is_set(registers.read(offset, 4))) << offset;
}

TEST(RegisterAttributes, StatusIsClearedByWritingOne) {
  Registers registers(with_everything());
  const auto statuses = [](RegisterId id) { return spec::bits_with_access(id, FieldAccess::kWriteOneClear); };
  for (const spec::Field error : {spec::cqcsr::kCqmf, spec::cqcsr::kCmdTo, spec::cqcsr::kCmdIll}) {
    registers.command_failed(error);
    expect_cleared_by_one(registers, spec::kCqcsrOffset, statuses(RegisterId::kCqcsr), error);
  }
  registers.command_completed(true);
  expect_cleared_by_one(registers, spec::kCqcsrOffset, statuses(RegisterId::kCqcsr), spec::cqcsr::kFenceWIp);
  for (const spec::Field error : {spec::fqcsr::kFqmf, spec::fqcsr::kFqof}) {
    registers.fault_queue_failed(error);
    expect_cleared_by_one(registers, spec::kFqcsrOffset, statuses(RegisterId::kFqcsr), error);
  }
  for (const spec::Field error : {spec::pqcsr::kPqmf, spec::pqcsr::kPqof}) {
    registers.page_request_queue_failed(error);
    expect_cleared_by_one(registers, spec::kPqcsrOffset, statuses(RegisterId::kPqcsr), error);
  }
  EXPECT_EQ(registers.read(spec::kIpsrOffset, 4), 0U) << "no interrupt was enabled";
}

TEST(RegisterAttributes, PendingIsClearedByWritingOne) {
  Registers registers(with_everything());
  const std::uint64_t pending = spec::bits_with_access(RegisterId::kIpsr, FieldAccess::kWriteOneClear);
  for (const std::uint32_t csr : {spec::kCqcsrOffset, spec::kFqcsrOffset, spec::kPqcsrOffset})
    registers.write(csr, 4, 2);
  registers.write(spec::kIohpmcyclesOffset, 8, base::mask_of(63));
  registers.command_failed(spec::cqcsr::kCmdIll);
  registers.fault_queue_failed(spec::fqcsr::kFqof);
  registers.page_request_queue_failed(spec::pqcsr::kPqof);
  registers.count_cycles(1);
  EXPECT_EQ(registers.read(spec::kIpsrOffset, 4), pending);
  for (const std::uint32_t csr : {spec::kCqcsrOffset, spec::kFqcsrOffset, spec::kPqcsrOffset})
    registers.write(csr, 4, 0xf02);  // the conditions end
  for (const spec::Field bit : {spec::ipsr::kCip, spec::ipsr::kFip, spec::ipsr::kPmip, spec::ipsr::kPip}) {
    expect_cleared_by_one(registers, spec::kIpsrOffset, 0, bit);
  }
  EXPECT_EQ(registers.read(spec::kIpsrOffset, 4), 0U);
}

TEST(RegisterAttributes, StatusOfAbsentFeaturesStaysZero) {
  Machine machine;  // no ATS, no performance monitor, no wires
  machine.command(2 | spec::iofence_w0::kWsi.mask(), 0);
  EXPECT_FALSE(spec::cqcsr::kFenceWIp.is_set(machine.read32(spec::kCqcsrOffset)));
  machine.write32(spec::kCqcsrOffset, 2 | 0xf00);
  machine.write32(spec::kPqcsrOffset, 3);
  machine.write(spec::kIohpmcyclesOffset, ~0ULL);
  machine.registers.count_cycles(~0ULL);
  machine.translate(7, 0x1000);
  machine.write32(spec::kIpsrOffset, 0xb);
  EXPECT_EQ(machine.read32(spec::kIpsrOffset), 0U);
}

TEST(RegisterAttributes, OverflowBitsAreShadows) {
  Registers registers(with_everything());
  registers.write(spec::kIocountovfOffset, 4, ~0ULL);
  EXPECT_EQ(registers.read(spec::kIocountovfOffset, 4), 0U);
  std::uint64_t expected = 1;
  registers.write(spec::kIohpmcyclesOffset, 8, 1ULL << 63);
  for (const unsigned counter : {1U, 2U, 30U, 31U}) {
    EXPECT_EQ(registers.read(spec::kIocountovfOffset, 4), expected);
    registers.write(spec::kIohpmevtOffset + 8 * (counter - 1), 8, 1ULL << 63);
    expected |= 1ULL << counter;
  }
  registers.write(spec::kIocountovfOffset, 4, 0);
  EXPECT_EQ(registers.read(spec::kIocountovfOffset, 4), expected);
}

TEST(RegisterAttributes, QosIdentifiersKeepToTheirMask) {
  Implementation implementation = with_everything();
  implementation.qosid_mask = 0x00070003;
  Registers registers(implementation);
  registers.write(spec::kIommuQosidOffset, 4, ~0ULL);
  EXPECT_EQ(registers.read(spec::kIommuQosidOffset, 4), 0x00070003U);
}

TEST(Reset, QosIdentifiersAreZero) {
  for (const spec::DdtMode mode : {spec::DdtMode::kOff, spec::DdtMode::kBare}) {
    Implementation implementation = with_everything();
    implementation.reset_mode = mode;
    Registers registers(implementation);
    EXPECT_EQ(registers.read(spec::kIommuQosidOffset, 4), 0U);
    registers.write(spec::kIommuQosidOffset, 4, ~0ULL);
    registers.reset();
    EXPECT_EQ(registers.read(spec::kIommuQosidOffset, 4), 0U);
  }
}

}  // namespace iommusim::translate::test
