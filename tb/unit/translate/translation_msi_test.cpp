// SPDX-License-Identifier: Apache-2.0
// MSI addresses (IOMMU 2.1.3.6, 2.3.3): recognition, both PTE modes, their faults, and superpages around them.
#include <gtest/gtest.h>

#include "machine.h"

namespace iommusim::translate::test {

/// Device 7 with virtual interrupt files at GPA 0x28000000 + n * 0x1000, n = 0..7, behind Sv39x4 (and maybe Sv39).
struct MsiMachine {
  Machine machine;
  AddressSpace space;
  std::uint64_t table;
  explicit MsiMachine(unsigned first_mode = 0, bool mrif = true)
      : machine([mrif] {
          spec::Implementation implementation;
          implementation.msi_flat = implementation.ats = implementation.t2gpa = implementation.dbg = true;
          implementation.msi_mrif = mrif;
          return implementation;
        }()),
        space(machine.space(first_mode, 8)),
        table(machine.frames.take()) {
    attach(spec::dc_tc::kEnAts.mask());
  }
  void attach(std::uint64_t tc) {
    spec::DeviceContext context;
    context.words = {tc | 1, space.iohgatp(1), 0, space.fsc(), 1ULL << 60 | table >> 12, 7, 0x28000};
    machine.set_context(7, context);
  }
  void set_pte(unsigned file, std::uint64_t word0, std::uint64_t word1 = 0) {
    machine.memory.store(table + 16 * file, word0);
    machine.memory.store(table + 16 * file + 8, word1);
  }
  Outcome write(std::uint64_t iova) { return machine.translate(7, iova, Access::kWrite); }
};
constexpr std::uint64_t kBasic = 1 | 3 << 1;
constexpr std::uint64_t kMrif = 1 | 1 << 1;

TEST(Msi, BasicModePassesThrough) {
  MsiMachine msi;
  msi.set_pte(5, kBasic | 0x99999ULL << 10, ~0ULL);
  const Outcome outcome = msi.write(0x28005010);
  EXPECT_EQ(outcome.spa, 0x99999010U) << "the second doubleword is ignored";
  EXPECT_TRUE(outcome.is_msi);
  EXPECT_FALSE(outcome.msi.mrif);
  EXPECT_EQ(outcome.size_log2, 12);
}

TEST(Msi, FileNumberPacksTheMaskedBits) {
  MsiMachine msi;
  spec::DeviceContext context;
  context.words = {1, msi.space.iohgatp(1), 0, 0, 1ULL << 60 | msi.table >> 12, 0b1010011, 0x28000};
  msi.machine.set_context(7, context);
  msi.set_pte(0b1101, kBasic | 0x77777ULL << 10);
  EXPECT_EQ(msi.write(0x28000000 | 0b1010001ULL << 12 | 4).spa, 0x77777004U) << "bits 6, 4, 1, 0 = 1, 1, 0, 1";
}

TEST(Msi, AddressesThatDoNotMatchUseTheSecondStage) {
  MsiMachine msi;
  msi.space.map_guest(0x28008000);
  EXPECT_EQ(msi.write(0x28008010).spa, 0x28008010 + kGuestOffset);
  EXPECT_FALSE(msi.write(0x28008010).is_msi);
}

TEST(Msi, IsLookedForAfterTheFirstStage) {
  MsiMachine msi(8);
  msi.space.map(0x1000, 0x28002000);
  msi.set_pte(2, kBasic | 0x55555ULL << 10);
  EXPECT_EQ(msi.write(0x1abc).spa, 0x55555abcU);
  EXPECT_EQ(msi.write(0x28002000).fault.cause, 15) << "the IOVA itself is no MSI address";
}

TEST(Msi, MrifModeGivesFileAndNotice) {
  MsiMachine msi;
  msi.set_pte(1, kMrif | 0x123456ULL << 7, 0x3ffULL | 0x4444ULL << 10 | 1ULL << 60);
  const Outcome outcome = msi.write(0x28001000);
  ASSERT_TRUE(outcome.msi.mrif);
  EXPECT_EQ(outcome.msi.mrif_address, 0x123456ULL << 9);
  EXPECT_EQ(outcome.spa, 0x4444000U);
  EXPECT_EQ(outcome.msi.notice_id, 0x7ffU);
}

TEST(Msi, MrifAddressReachesBit55) {
  MsiMachine msi;
  msi.set_pte(1, kMrif | base::mask_of(47) << 7);
  EXPECT_EQ(msi.write(0x28001000).msi.mrif_address, base::mask_of(47) << 9);
}

TEST(Msi, DefectsOfThePte) {
  MsiMachine msi;
  const auto cause = [&](std::uint64_t word0, std::uint64_t word1 = 0) {
    msi.set_pte(0, word0, word1);
    return msi.write(0x28000000).fault.cause;
  };
  EXPECT_EQ(cause(0), 262);
  EXPECT_EQ(cause(1), 263) << "M = 0";
  EXPECT_EQ(cause(1 | 2 << 1), 263) << "M = 2";
  EXPECT_EQ(cause(kBasic | 1ULL << 63), 263) << "C";
  for (const unsigned bit : {3U, 9U, 54U, 62U}) EXPECT_EQ(cause(kBasic | 1ULL << bit), 263) << bit;
  for (const unsigned bit : {3U, 6U, 54U, 62U}) EXPECT_EQ(cause(kMrif | 1ULL << bit), 263) << bit;
  for (const unsigned bit : {54U, 59U, 61U, 63U}) EXPECT_EQ(cause(kMrif, 1ULL << bit), 263) << bit;
  msi.machine.memory.failing[msi.table + 15] = MemoryStatus::kAccessFault;
  EXPECT_EQ(cause(kBasic), 261);
  msi.machine.memory.failing[msi.table + 15] = MemoryStatus::kCorrupt;
  EXPECT_EQ(cause(kBasic), 270);
  EXPECT_EQ(MsiMachine(0, false).write(0x28000000).fault.cause, 262);
  MsiMachine without_mrif(0, false);
  without_mrif.set_pte(0, kMrif);
  EXPECT_EQ(without_mrif.write(0x28000000).fault.cause, 263);
}

TEST(Msi, ExecutionIsAnInstructionAccessFault) {
  MsiMachine msi;
  msi.set_pte(0, kBasic);
  Request request = Machine::request(7, 0x28000000);
  request.execute = true;
  EXPECT_EQ(msi.machine.engine.translate(request).fault.cause, 1);
}

TEST(Msi, CachedRangesStopShortOfInterruptFiles) {
  MsiMachine msi(8);
  msi.space.map(0x28000000, 0x28000000, 1);
  msi.space.map(0x28200000, 0x28200000, 1);
  msi.space.map_second(0x28000000, 0x90000000, 2 - 1);
  msi.space.map_second(0x28200000, 0x90200000, 2 - 1);
  Translation translation;
  for (const std::uint64_t iova : {0x28008000ULL, 0x28208000ULL}) {
    translation.start(Machine::request(7, iova), msi.machine.registers);
    while (translation.ask().kind != AskKind::kFillTranslation) {
      ASSERT_NE(translation.ask().kind, AskKind::kDone);
      if (translation.ask().kind == AskKind::kRead) {
        translation.memory(msi.machine.memory.read(translation.ask().memory));
      } else if (translation.ask().kind == AskKind::kFillDevice || translation.ask().kind == AskKind::kFillDirectory ||
                 translation.ask().kind == AskKind::kFillWalk) {
        translation.resume();
      } else {
        translation.miss();
      }
    }
    EXPECT_EQ(translation.ask().entry.size_log2, iova == 0x28008000 ? 12 : 21);
  }
}

TEST(Msi, AtsRequestForAnMrifIsUntranslatedOnly) {
  MsiMachine msi;
  msi.set_pte(1, kMrif);
  Request request = Machine::request(7, 0x28001000);
  request.type = AddressType::kAtsRequest;
  request.cxl = true;
  const AtsCompletion ats = msi.machine.engine.translate(request).ats;
  EXPECT_TRUE(ats.r && ats.w && ats.untranslated_only && ats.cxl_io);
  EXPECT_FALSE(ats.x || ats.global);
}

// IOMMU 2.3.3, step 15: to the permissions an interrupt file is a page with R, W and U, without X.
TEST(Msi, AtsRequestsAreGrantedNoExecution) {
  MsiMachine msi;
  msi.attach(spec::dc_tc::kEnAts.mask() | spec::dc_tc::kPdtv.mask());  // pdtp is Bare
  msi.space.map_guest(0x28008000);
  msi.set_pte(1, kBasic | 0x99ULL << 10);
  Request request = Machine::request(7, 0x28001000);
  request.type = AddressType::kAtsRequest;
  request.process_valid = request.execute = true;
  const AtsCompletion file = msi.machine.engine.translate(request).ats;
  EXPECT_TRUE(file.r && file.w && !file.x);
  request.iova = base::Iova(0x28008000);
  EXPECT_TRUE(msi.machine.engine.translate(request).ats.x) << "a page beside it";
}

TEST(Msi, DebugInterfaceDoesNotReachMrifs) {
  MsiMachine msi;
  msi.set_pte(1, kMrif);
  msi.machine.write(spec::kTrReqIovaOffset, 0x28001000);
  msi.machine.write(spec::kTrReqCtlOffset, 7ULL << 40 | 9);
  EXPECT_TRUE(spec::tr_response::kFault.is_set(msi.machine.read(spec::kTrResponseOffset)));
}

}  // namespace iommusim::translate::test
