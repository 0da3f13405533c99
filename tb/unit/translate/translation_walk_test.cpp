// SPDX-License-Identifier: Apache-2.0
// Directed tests of both stages' walks: faults of entries, address ranges, superpages, A/D updates and their races.
#include <gtest/gtest.h>

#include "machine.h"

namespace iommusim::translate::test {

constexpr std::uint64_t kSade = spec::dc_tc::kSade.mask();
constexpr std::uint64_t kGade = spec::dc_tc::kGade.mask();

/// One device, 7, with one mapping of IOVA 0x1000.
struct Walks {
  Machine machine;
  AddressSpace space;
  Walks(unsigned first_mode, unsigned second_mode, std::uint64_t tc = 0, std::uint64_t target = 0x3000)
      : space(machine.space(first_mode, second_mode)) {
    space.map(first_mode == 0 ? target : 0x1000, target);
    machine.attach(7, space, tc);
  }
  void change_first(std::uint64_t clear, std::uint64_t set = 0) { change(space.first_entry(0x1000, 0), clear, set); }
  void change_second(std::uint64_t gpa, std::uint64_t clear, std::uint64_t set = 0) {
    change(space.second_entry(gpa, 0), clear, set);
  }
  std::uint64_t first_pte() { return machine.memory.load(space.first_entry(0x1000, 0)); }
  std::uint64_t second_pte(std::uint64_t gpa) { return machine.memory.load(space.second_entry(gpa, 0)); }
  unsigned cause(Access access = Access::kRead, std::uint64_t iova = 0x1000) {
    return machine.translate(7, iova, access).fault.cause;
  }
  unsigned cause_of_execute() {
    Request request = Machine::request(7, 0x1000);
    request.execute = true;
    return machine.engine.translate(request).fault.cause;
  }

 private:
  void change(std::uint64_t address, std::uint64_t clear, std::uint64_t set) {
    machine.memory.store(address, (machine.memory.load(address) & ~clear) | set);
  }
};

TEST(FirstStage, FaultsByAccess) {
  Walks walks(8, 0);
  walks.change_first(flags::kV);
  EXPECT_EQ(walks.cause(Access::kRead), 13U);
  EXPECT_EQ(walks.cause(Access::kWrite), 15U);
  EXPECT_EQ(walks.cause(Access::kAtomic), 15U);
  EXPECT_EQ(walks.cause_of_execute(), 12U);
}

TEST(FirstStage, Permissions) {
  Walks walks(8, 0);
  walks.change_first(flags::kW);
  EXPECT_EQ(walks.cause(Access::kRead), 0U);
  EXPECT_EQ(walks.cause(Access::kWrite), 15U);
  walks.change_first(flags::kX);
  EXPECT_EQ(walks.cause_of_execute(), 12U);
  walks.change_first(flags::kR, flags::kX);
  EXPECT_EQ(walks.cause(Access::kRead), 13U);
  EXPECT_EQ(walks.cause_of_execute(), 0U) << "execute needs X alone";
  walks.change_first(flags::kU, flags::kR);
  EXPECT_EQ(walks.cause(Access::kRead), 13U) << "without process_id every access is a user's";
}

TEST(FirstStage, NonCanonicalAddressFaultsWithoutARead) {
  for (const unsigned mode : {8U, 9U, 10U}) {
    Walks walks(mode, 0);
    const std::uint64_t beyond = 1ULL << (walks.space.first.address_bits - 1);
    walks.machine.memory.clear_counts();
    EXPECT_EQ(walks.cause(Access::kRead, 0x1000 | beyond), 13U);
    EXPECT_EQ(walks.cause(Access::kRead, 0x1000 | 1ULL << 63), 13U);
    EXPECT_EQ(walks.machine.memory.reads_of(Structure::kFirstStage), 0U);
    EXPECT_EQ(walks.cause(Access::kRead, 0x1000), 0U);
  }
}

TEST(FirstStage, UpperHalfTranslates) {
  Walks walks(8, 0);
  walks.space.map(0xffffffffffe00000, 0x5000000, 0);
  EXPECT_EQ(walks.machine.translate(7, 0xffffffffffe00abc).spa, 0x5000abcU);
}

TEST(FirstStage, MemoryFaultsByAccess) {
  Walks walks(8, 0);
  walks.machine.memory.failing[walks.space.first_entry(0x1000, 1)] = MemoryStatus::kAccessFault;
  EXPECT_EQ(walks.cause(Access::kRead), 5U);
  EXPECT_EQ(walks.cause(Access::kWrite), 7U);
  EXPECT_EQ(walks.cause_of_execute(), 1U);
  walks.machine.memory.failing[walks.space.first_entry(0x1000, 1)] = MemoryStatus::kCorrupt;
  EXPECT_EQ(walks.cause(), 274U);
}

TEST(FirstStage, TableBeyondThePhysicalAddressesIsAnAccessFault) {
  spec::Implementation implementation;
  implementation.pas = 46;
  Machine machine(implementation);
  AddressSpace space = machine.space(8, 0);
  space.map(0x1000, 0x3000);
  machine.attach(7, space);
  machine.memory.store(space.first_entry(0x1000, 1), 1ULL << 46 >> 2 | 1);
  EXPECT_EQ(machine.translate(7, 0x1000).fault.cause, 5U);
}

TEST(FirstStage, MisalignedSuperpageFaults) {
  Walks walks(8, 0);
  walks.space.map(0x40000000, 0x40000000, 2);
  EXPECT_EQ(walks.machine.translate(7, 0x7abcdef0).spa, 0x7abcdef0U);
  walks.space.map(0x40000000, 0x40000000 | 0x200000, 2);
  EXPECT_EQ(walks.cause(Access::kRead, 0x40000000), 13U);
}

TEST(FirstStage, NapotTranslatesWithFourBitsOfTheAddress) {
  Walks walks(8, 0);
  for (unsigned i = 0; i < 16; ++i)
    walks.machine.memory.store(walks.space.first_entry(0x20000 + 0x1000 * i, 0),
                               1ULL << 63 | (0x9990000 | 0x8000) >> 2 | flags::kAll);
  const Outcome outcome = walks.machine.translate(7, 0x2c123);
  EXPECT_EQ(outcome.spa, 0x999c123U);
  EXPECT_EQ(outcome.size_log2, 16);
}

TEST(SecondStage, FaultsByAccessCarryTheGuestAddress) {
  Walks walks(0, 8);
  walks.change_second(0x3000, flags::kV);
  for (const auto& [access, cause] : {std::pair{Access::kRead, 21}, {Access::kWrite, 23}, {Access::kAtomic, 23}}) {
    walks.machine.translate(7, 0x3456, access);
    const auto records = walks.machine.take_records();
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].cause, static_cast<unsigned>(cause));
    EXPECT_EQ(records[0].iotval, 0x3456U);
    EXPECT_EQ(records[0].iotval2, 0x3454U) << "bits 63:2 of the GPA, explicit";
  }
}

TEST(SecondStage, Permissions) {
  Walks walks(8, 8);
  walks.change_second(0x3000, flags::kW);
  EXPECT_EQ(walks.cause(Access::kRead), 0U);
  EXPECT_EQ(walks.cause(Access::kWrite), 23U);
  walks.change_second(0x3000, flags::kX);
  EXPECT_EQ(walks.cause_of_execute(), 20U);
  walks.change_second(0x3000, flags::kU);
  EXPECT_EQ(walks.cause(Access::kRead), 21U) << "the second stage wants U";
}

TEST(SecondStage, ReservedBitsFault) {
  for (const unsigned bit : {54U, 60U, 61U}) {  // reserved always, without Svrsw60t59b, without Svpbmt
    Walks walks(8, 8);
    walks.change_second(0x3000, 0, 1ULL << bit);
    EXPECT_EQ(walks.cause(Access::kRead), 21U) << bit;
    walks.change_second(0x3000, 1ULL << bit);
    walks.change_first(0, 1ULL << bit);
    EXPECT_EQ(walks.cause(Access::kRead), 13U) << "first stage, " << bit;
  }
}

TEST(SecondStage, RootIsIndexedByTwoBitsMore) {
  for (const unsigned mode : {8U, 9U, 10U}) {
    Walks walks(0, mode);
    const unsigned bits = walks.space.second.address_bits;
    const std::uint64_t top = 3ULL << (bits - 2);
    walks.space.map_second(top, 0x77000, 0);
    EXPECT_EQ(walks.machine.translate(7, top | 0x123).spa, 0x77123U);
    EXPECT_EQ(walks.cause(Access::kRead, top & ~(1ULL << (bits - 1))), 21U) << "another root entry";
    EXPECT_EQ(walks.cause(Access::kRead, top | 1ULL << bits), 21U) << "beyond the mode";
  }
}

TEST(SecondStage, ImplicitFaultsHaveTheOriginalCauseAndTellSo) {
  Walks walks(8, 8);
  const std::uint64_t entry_gpa = walks.space.first_entry_gpa(0x1000, 1);
  walks.change_second(entry_gpa, flags::kV);
  for (const auto& [access, cause] : {std::pair{Access::kRead, 21}, {Access::kWrite, 23}}) {
    walks.machine.translate(7, 0x1000, access);
    const auto records = walks.machine.take_records();
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].cause, static_cast<unsigned>(cause));
    EXPECT_EQ(records[0].iotval2, (entry_gpa & ~3ULL) | 1) << "implicit, a read";
  }
  walks.change_second(entry_gpa, flags::kR | flags::kW, flags::kV);
  EXPECT_EQ(walks.cause(Access::kRead), 21U) << "reading an entry needs R";
}

TEST(SecondStage, MemoryFaultOfAnImplicitWalk) {
  Walks walks(8, 8);
  const std::uint64_t entry = walks.space.second_entry(walks.space.first_entry_gpa(0x1000, 0), 1);
  walks.machine.memory.failing[entry] = MemoryStatus::kAccessFault;
  EXPECT_EQ(walks.cause(Access::kWrite), 7U);
  walks.machine.memory.failing[entry] = MemoryStatus::kCorrupt;
  EXPECT_EQ(walks.cause(Access::kWrite), 274U);
}

TEST(AccessedDirty, WithoutUpdatesTheyFault) {
  Walks first(8, 0);
  first.change_first(flags::kD);
  EXPECT_EQ(first.cause(Access::kRead), 0U);
  EXPECT_EQ(first.cause(Access::kWrite), 15U);
  first.change_first(flags::kA);
  EXPECT_EQ(first.cause(Access::kRead), 13U);
  Walks second(0, 8);
  second.change_second(0x3000, flags::kD);
  EXPECT_EQ(second.cause(Access::kRead, 0x3000), 0U);
  EXPECT_EQ(second.cause(Access::kWrite, 0x3000), 23U);
  second.change_second(0x3000, flags::kA);
  EXPECT_EQ(second.cause(Access::kRead, 0x3000), 21U);
}

TEST(AccessedDirty, UpdatesSetWhatTheAccessNeeds) {
  Walks walks(8, 0, kSade);
  walks.change_first(flags::kA | flags::kD);
  EXPECT_EQ(walks.cause(Access::kRead), 0U);
  EXPECT_EQ(walks.first_pte() & (flags::kA | flags::kD), flags::kA);
  EXPECT_EQ(walks.cause(Access::kWrite), 0U);
  EXPECT_EQ(walks.first_pte() & (flags::kA | flags::kD), flags::kA | flags::kD);
  EXPECT_EQ(walks.machine.memory.swaps, 2U);
  EXPECT_EQ(walks.cause(Access::kWrite), 0U);
  EXPECT_EQ(walks.machine.memory.swaps, 2U) << "nothing left to set";
}

TEST(AccessedDirty, DeniedAccessUpdatesNothing) {
  Walks walks(8, 0, kSade);
  walks.change_first(flags::kA | flags::kD | flags::kW);
  EXPECT_EQ(walks.cause(Access::kWrite), 15U);
  EXPECT_EQ(walks.machine.memory.swaps, 0U);
}

TEST(AccessedDirty, UpdateOfAGuestEntryIsAnImplicitWrite) {
  Walks walks(8, 8, kSade | kGade);
  const std::uint64_t entry_gpa = walks.space.first_entry_gpa(0x1000, 0);
  walks.change_first(flags::kD);
  walks.change_second(entry_gpa, flags::kD);
  walks.change_second(0x3000, flags::kA | flags::kD);
  EXPECT_EQ(walks.cause(Access::kWrite), 0U);
  EXPECT_TRUE(walks.first_pte() & flags::kD);
  EXPECT_TRUE(walks.second_pte(entry_gpa) & flags::kD) << "the entry's page was written";
  EXPECT_TRUE(walks.second_pte(0x3000) & flags::kD);
  EXPECT_EQ(walks.machine.memory.swaps, 3U);
}

/// A choice that Privileged, "Addressing and Memory Protection", leaves: the page of an entry that hardware may update.
TEST(AccessedDirty, ReadOfAnUpdatableGuestEntryMarksItsPageDirty) {
  const auto dirty_after = [](std::uint64_t tc, std::uint64_t cleared) {
    Walks walks(8, 8, tc);
    const std::uint64_t entry_gpa = walks.space.first_entry_gpa(0x1000, 0);
    walks.change_second(entry_gpa, cleared);
    EXPECT_EQ(walks.cause(), 0U);
    return (walks.second_pte(entry_gpa) & flags::kD) != 0;
  };
  EXPECT_TRUE(dirty_after(kSade | kGade, flags::kD));
  EXPECT_FALSE(dirty_after(kGade, flags::kD)) << "nothing will write there";
  EXPECT_FALSE(dirty_after(kSade | kGade, flags::kD | flags::kW)) << "a read-only page is never dirty";
}

TEST(AccessedDirty, UpdateInAReadOnlyGuestPageFaultsAsImplicitWrite) {
  Walks walks(8, 8, kSade | kGade);
  const std::uint64_t entry_gpa = walks.space.first_entry_gpa(0x1000, 0);
  walks.change_first(flags::kA);
  walks.change_second(entry_gpa, flags::kW);
  walks.machine.translate(7, 0x1000, Access::kRead);
  const auto records = walks.machine.take_records();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].cause, 21U) << "the original access was a read";
  EXPECT_EQ(records[0].iotval2, (entry_gpa & ~3ULL) | 3);
}

TEST(AccessedDirty, LostRaceIsJudgedAnew) {
  Walks walks(8, 0, kSade);
  walks.change_first(flags::kA);
  unsigned races = 0;
  walks.machine.memory.before_swap = [&](const MemoryAsk& ask) {
    if (races++ < 2) walks.machine.memory.store(ask.address, walks.machine.memory.load(ask.address) ^ 1 << 8);  // RSW
  };
  EXPECT_EQ(walks.cause(Access::kRead), 0U);
  EXPECT_EQ(walks.machine.memory.swaps, 3U);
  EXPECT_TRUE(walks.first_pte() & flags::kA);
}

TEST(AccessedDirty, EntryThatBecomesInvalidMeanwhileFaults) {
  Walks walks(8, 8, kSade | kGade);
  walks.change_second(0x3000, flags::kA);
  walks.machine.memory.before_swap = [&](const MemoryAsk& ask) { walks.machine.memory.store(ask.address, 0); };
  EXPECT_EQ(walks.cause(Access::kRead), 21U);
}

TEST(AccessedDirty, FailedSwapIsAnAccessFault) {
  Walks walks(8, 0, kSade);
  walks.change_first(flags::kA);
  walks.machine.memory.before_swap = [&](const MemoryAsk& ask) {
    walks.machine.memory.failing[ask.address] = MemoryStatus::kAccessFault;
  };
  EXPECT_EQ(walks.cause(Access::kWrite), 7U);
}

// IOMMU 2.4: the update is visible before the access; an answer before the swap's would let the device be first.
TEST(AccessedDirty, TheAnswerWaitsForTheUpdate) {
  for (const AddressType type : {AddressType::kUntranslated, AddressType::kAtsRequest}) {
    spec::Implementation implementation;
    implementation.ats = true;
    Machine machine(implementation);
    AddressSpace space = machine.space(8, 0);
    space.map(0x1000, 0x3000, 0, flags::kAll & ~flags::kA & ~flags::kD);
    machine.attach(7, space, kSade | spec::dc_tc::kEnAts.mask());
    Request request = Machine::request(7, 0x1000);
    request.type = type;
    Translation translation;
    translation.start(request, machine.registers);
    while (translation.ask().kind != AskKind::kCompareSwap) {
      ASSERT_NE(translation.ask().kind, AskKind::kDone) << "answered before the update";
      if (translation.ask().kind == AskKind::kRead) {
        translation.memory(machine.memory.read(translation.ask().memory));
      } else if (translation.ask().kind >= AskKind::kFillDevice) {
        translation.resume();
      } else {
        translation.miss();
      }
    }
    EXPECT_EQ(machine.memory.load(space.first_entry(0x1000, 0)) & flags::kA, 0U);
    translation.memory(machine.memory.compare_swap(translation.ask().memory));
    EXPECT_EQ(translation.ask().kind, AskKind::kFillTranslation) << "the answer comes after the update";
    EXPECT_NE(machine.memory.load(space.first_entry(0x1000, 0)) & flags::kA, 0U);
  }
}

TEST(Sv32, WalksFourByteEntries) {
  spec::Implementation implementation;
  implementation.sv32 = true;
  implementation.gxl_writeable = true;
  Machine machine(implementation);
  AddressSpace space = machine.space(8, 0, 0, true);
  space.map(0x12345000, 0x98765000);
  space.map(0xfec00000, 0x3ffc00000, 1);
  machine.attach(7, space, spec::dc_tc::kSxl.mask());
  machine.memory.clear_counts();
  EXPECT_EQ(machine.translate(7, 0x12345678).spa, 0x98765678U);
  EXPECT_EQ(machine.memory.reads_of(Structure::kFirstStage), 2U);
  const Outcome superpage = machine.translate(7, 0xfedcba98);
  EXPECT_EQ(superpage.spa, 0x3ffdcba98U);
  EXPECT_EQ(superpage.size_log2, 22);
  EXPECT_EQ(machine.translate(7, 0x1'12345678).fault.cause, 13) << "bits beyond 31";
}

TEST(Sv32, SxlLimitsGuestAddressesOfWiderSecondStages) {
  spec::Implementation implementation;
  implementation.sv32 = implementation.gxl_writeable = true;
  Machine machine(implementation);
  AddressSpace space = machine.space(0, 8);
  space.map_guest(0x3'ffff'f000);
  space.map_guest(0x4'0000'0000);
  machine.attach(7, space, spec::dc_tc::kSxl.mask());
  EXPECT_EQ(machine.translate(7, 0x3'ffff'f000).fault.cause, 0);
  EXPECT_EQ(machine.translate(7, 0x4'0000'0000).fault.cause, 21);
}

TEST(Svpbmt, FirstStageTypePrevails) {
  spec::Implementation implementation;
  implementation.svpbmt = true;
  Machine machine(implementation);
  AddressSpace space = machine.space(8, 8);
  space.map(0x1000, 0x3000);
  machine.attach(7, space);
  const std::uint64_t first = space.first_entry(0x1000, 0);
  const std::uint64_t second = space.second_entry(0x3000, 0);
  machine.memory.store(second, machine.memory.load(second) | 1ULL << 61);
  EXPECT_EQ(machine.translate(7, 0x1000).pbmt, 1) << "NC of the second stage";
  machine.memory.store(first, machine.memory.load(first) | 2ULL << 61);
  EXPECT_EQ(machine.translate(7, 0x1000).pbmt, 2) << "IO of the first stage";
}

}  // namespace iommusim::translate::test
