// SPDX-License-Identifier: Apache-2.0
// The performance monitor (IOMMU 5.19 to 5.23): filters, inhibition, overflow.
#include <gtest/gtest.h>

#include "machine.h"

namespace iommusim::translate::test {

namespace evt = spec::iohpmevt;

spec::Implementation with_counters() {
  spec::Implementation implementation;
  implementation.hpm = true;
  implementation.num_hpm = 4;
  implementation.hpm_counter_bits = 40;
  return implementation;
}

/// Counter 1 with this selector; how often one event is counted.
std::uint64_t counted(std::uint64_t selector, const EventSource& source, HpmEvent event = HpmEvent::kTlbMiss) {
  Registers registers(with_counters());
  registers.write(spec::kIohpmevtOffset, 8, selector | static_cast<unsigned>(event));
  registers.count_event(event, source);
  return registers.read(spec::kIohpmctrOffset, 8);
}

EventSource sample_source() {
  return {base::DeviceId(0x123456), base::ProcessId(0x77), true, base::Gscid(0x12), base::Pscid(0x34), true, true};
}

TEST(Counters, DeviceAndProcessFilters) {
  const EventSource source = sample_source();
  EXPECT_EQ(counted(0, source), 1U);
  EXPECT_EQ(counted(evt::kDvGscv.mask() | evt::kDidGscid.of(0x123456), source), 1U);
  EXPECT_EQ(counted(evt::kDvGscv.mask() | evt::kDidGscid.of(0x123457), source), 0U);
  EXPECT_EQ(counted(evt::kPvPscv.mask() | evt::kPidPscid.of(0x77), source), 1U);
  EXPECT_EQ(counted(evt::kPvPscv.mask() | evt::kPidPscid.of(0x78), source), 0U);
  EventSource without_process = source;
  without_process.process_valid = false;
  EXPECT_EQ(counted(evt::kPvPscv.mask() | evt::kPidPscid.of(0x77), without_process), 0U);
  EXPECT_EQ(counted(evt::kDvGscv.mask() | evt::kDidGscid.of(0x123456) | evt::kPvPscv.mask() | evt::kPidPscid.of(0x77),
                    source),
            1U);
}

TEST(Counters, PartialMatchIgnoresBitsUpToTheFirstZero) {
  const EventSource source = sample_source();
  const std::uint64_t partial = evt::kDvGscv.mask() | evt::kDmask.mask();
  EXPECT_EQ(counted(partial | evt::kDidGscid.of(0x12347f), source), 1U) << "0x1234yy, any";
  EXPECT_EQ(counted(partial | evt::kDidGscid.of(0x123451), source), 0U) << "two bits are ignored";
  EXPECT_EQ(counted(partial | evt::kDidGscid.of(0x123453), source), 1U) << "three bits are ignored";
  EXPECT_EQ(counted(partial | evt::kDidGscid.of(0xffffff), source), 1U) << "all bits";
}

TEST(Counters, SoftContextFilters) {
  const EventSource source = sample_source();
  const std::uint64_t idt = evt::kIdt.mask();
  EXPECT_EQ(counted(idt, source), 1U);
  EXPECT_EQ(counted(idt | evt::kDvGscv.mask() | evt::kDidGscid.of(0x12), source), 1U);
  EXPECT_EQ(counted(idt | evt::kDvGscv.mask() | evt::kDidGscid.of(0x13), source), 0U);
  EXPECT_EQ(counted(idt | evt::kPvPscv.mask() | evt::kPidPscid.of(0x34), source), 1U);
  EventSource host = source;
  host.gscid_valid = host.pscid_valid = false;
  EXPECT_EQ(counted(idt | evt::kDvGscv.mask() | evt::kDidGscid.of(0x12), host), 0U);
  EXPECT_EQ(counted(idt | evt::kPvPscv.mask() | evt::kPidPscid.of(0x34), host), 0U);
}

TEST(Counters, EventsWithoutSoftContextsDoNotCountWithIdt) {
  for (unsigned event = 1; event <= 8; ++event) {
    const bool supported = event == 4 || event == 7 || event == 8;
    EXPECT_EQ(counted(evt::kIdt.mask(), sample_source(), static_cast<HpmEvent>(event)), supported ? 1U : 0U) << event;
    EXPECT_EQ(counted(0, sample_source(), static_cast<HpmEvent>(event)), 1U) << event;
  }
}

TEST(Counters, InhibitBitXStopsCounterX) {
  Registers registers(with_counters());
  for (unsigned i = 0; i < 3; ++i) registers.write(spec::kIohpmevtOffset + 8 * i, 8, 1);
  registers.write(spec::kIocountinhOffset, 4, 0b0100);
  registers.count_event(HpmEvent::kUntranslatedRequest, sample_source());
  EXPECT_EQ(registers.read(spec::kIohpmctrOffset, 8), 1U);
  EXPECT_EQ(registers.read(spec::kIohpmctrOffset + 8, 8), 0U) << "iohpmctr2";
  EXPECT_EQ(registers.read(spec::kIohpmctrOffset + 16, 8), 1U);
  registers.count_cycles(5);
  EXPECT_EQ(registers.read(spec::kIohpmcyclesOffset, 8), 5U);
  registers.write(spec::kIocountinhOffset, 4, 1);
  registers.count_cycles(5);
  EXPECT_EQ(registers.read(spec::kIohpmcyclesOffset, 8), 5U);
}

TEST(Counters, OverflowSetsOfAndRaisesPmipOnce) {
  Registers registers(with_counters());
  registers.write(spec::kIohpmevtOffset, 8, 1);
  const auto overflow = [&] {
    registers.write(spec::kIohpmctrOffset, 8, base::mask_of(40));
    registers.count_event(HpmEvent::kUntranslatedRequest, sample_source());
    EXPECT_EQ(registers.read(spec::kIohpmctrOffset, 8), 0U);
    return registers.read(spec::kIpsrOffset, 4) == spec::ipsr::kPmip.mask();
  };
  EXPECT_TRUE(overflow());
  EXPECT_EQ(registers.read(spec::kIocountovfOffset, 4), 2U);
  registers.write(spec::kIpsrOffset, 4, spec::ipsr::kPmip.mask());
  EXPECT_FALSE(overflow()) << "OF is still 1";
  registers.write(spec::kIohpmevtOffset, 8, 1);
  EXPECT_TRUE(overflow());
}

TEST(Counters, CyclesOverflowAt63Bits) {
  Registers registers(with_counters());
  registers.write(spec::kIohpmcyclesOffset, 8, base::mask_of(63) - 1);
  registers.count_cycles(3);
  EXPECT_EQ(registers.read(spec::kIohpmcyclesOffset, 8), 1ULL << 63 | 1);
  EXPECT_EQ(registers.read(spec::kIocountovfOffset, 4), 1U);
  EXPECT_EQ(registers.read(spec::kIpsrOffset, 4), spec::ipsr::kPmip.mask());
}

TEST(Counters, RequestsAreCountedByType) {
  spec::Implementation implementation = with_counters();
  implementation.ats = true;
  Machine machine(implementation);
  for (unsigned i = 0; i < 3; ++i) machine.write(spec::kIohpmevtOffset + 8 * i, i + 1);
  Request request = Machine::request(7, 0);
  machine.engine.translate(request);
  request.type = AddressType::kTranslated;
  machine.engine.translate(request);
  machine.engine.translate(request);
  EXPECT_EQ(machine.read(spec::kIohpmctrOffset), 1U);
  EXPECT_EQ(machine.read(spec::kIohpmctrOffset + 8), 2U);
  EXPECT_EQ(machine.read(spec::kIohpmctrOffset + 16), 0U);
}

}  // namespace iommusim::translate::test
