// SPDX-License-Identifier: Apache-2.0
// The store of messages into memory-resident interrupt files: identity, byte order, atomicity, notice, faults.
#include <gtest/gtest.h>

#include "machine.h"

namespace iommusim::translate::test {
namespace {

constexpr std::uint64_t kFile = 0x123400;  // a multiple of 512 that is none of 4 KiB
constexpr std::uint64_t kNotice = 0x4444000;
constexpr std::uint64_t kNoticeId = 0x7ff;

spec::Implementation with_mrif(bool atomic) {
  spec::Implementation implementation;
  implementation.msi_flat = implementation.msi_mrif = implementation.qosid = implementation.end = true;
  implementation.qosid_mask = ~0U;
  implementation.amo_mrif = atomic;
  return implementation;
}

/// Device 7, whose virtual interrupt file at GPA 0x28001000 is a memory-resident one. The parameter: AMO_MRIF.
struct Mrif : testing::TestWithParam<bool> {
  Machine machine{with_mrif(GetParam())};
  AddressSpace space = machine.space(0, 8);

  Mrif() { attach(1); }
  void attach(std::uint64_t tc) {
    const std::uint64_t table = machine.frames.take();
    machine.memory.store(table + 16, 3 | kFile >> 2);
    machine.memory.store(table + 24, 0x3ffULL | kNotice >> 2 | 1ULL << 60);
    spec::DeviceContext context;
    context.words = {tc,          space.iohgatp(1),         spec::dc_ta::kRcid.of(5) | spec::dc_ta::kMcid.of(6),
                     space.fsc(), 1ULL << 60 | table >> 12, 7,
                     0x28000};
    machine.set_context(7, context);
  }
  static Request message(std::uint32_t data, std::uint64_t offset = 0) {
    Request request = Machine::request(7, 0x28001000 + offset, Access::kWrite);
    request.bytes = 4;
    request.stores_msi = true;
    request.data = data;
    return request;
  }
  Outcome send(std::uint32_t data, std::uint64_t offset = 0) { return machine.engine.translate(message(data, offset)); }
  std::uint64_t pending(unsigned identity) const { return machine.memory.load(kFile + identity / 64 * 16); }
  void enable(unsigned identity) { machine.memory.store(kFile + identity / 64 * 16 + 8, 1ULL << identity % 64); }
};
INSTANTIATE_TEST_SUITE_P(Updates, Mrif, testing::Bool(),
                         [](const auto& info) { return info.param ? "Atomic" : "ReadAndWrite"; });

TEST_P(Mrif, TheIdentitySelectsThePendingBit) {
  for (const unsigned identity : {1U, 63U, 64U, 130U, 2047U}) {
    const Outcome outcome = send(identity);
    EXPECT_EQ(outcome.kind, Outcome::Kind::kTranslated);
    EXPECT_TRUE(outcome.absorbed());
    EXPECT_TRUE(base::bit(pending(identity), identity % 64)) << identity;
  }
  EXPECT_EQ(machine.memory.load(kFile), 1ULL << 63 | 2);
  EXPECT_EQ(machine.memory.load(kFile + 0x1f0), 1ULL << 63);
  EXPECT_EQ(machine.memory.load(kFile + 0x1f8), 0U) << "enable bits are software's";
  EXPECT_EQ(machine.memory.load(kNotice), 0U) << "no interrupt is enabled";
}

TEST_P(Mrif, OtherPendingBitsStay) {
  machine.memory.store(kFile + 16, 0xff00);
  send(64);
  EXPECT_EQ(machine.memory.load(kFile + 16), 0xff01U);
}

TEST_P(Mrif, TheNoticeIsForEnabledInterruptsOnly) {
  enable(70);
  send(71);
  EXPECT_EQ(machine.memory.load32(kNotice), 0U);
  send(70);
  EXPECT_EQ(machine.memory.load32(kNotice), kNoticeId);
  machine.memory.store(kNotice, 0);
  send(70);
  EXPECT_EQ(machine.memory.load32(kNotice), kNoticeId) << "of an interrupt that was pending already, too";
}

TEST_P(Mrif, TheSecondAddressIsBigEndian) {
  send(0x05000000, 4);
  EXPECT_EQ(machine.memory.load(kFile), 1U << 5);
  send(6, 4);
  EXPECT_EQ(machine.memory.load(kFile), 1U << 5) << "identity 0x06000000";
}

TEST_P(Mrif, TheFileIsLittleEndianWhateverTheTablesAre) {
  machine.write(spec::kDdtpOffset, 0);
  machine.write32(spec::kCqcsrOffset, 0);
  machine.write32(spec::kFqcsrOffset, 0);
  machine.write32(spec::kFctlOffset, spec::fctl::kBe.mask());
  machine.write(spec::kDdtpOffset, machine.ddt_root >> 2 | 4);
  ASSERT_TRUE(machine.registers.big_endian());
  attach(1 | spec::dc_tc::kSbe.mask());
  // Every structure that fctl.BE governs, swapped in place.
  const auto swap = [&](std::uint64_t address, unsigned words) {
    for (unsigned i = 0; i < words; ++i)
      machine.memory.store(address + 8 * i, __builtin_bswap64(machine.memory.load(address + 8 * i)));
  };
  const std::uint64_t context = machine.directory_entry(7);
  const std::uint64_t table = spec::dc_msiptp::kPpn.get(machine.memory.load(context + 32)) << 12;
  swap(context, 8);
  swap(machine.directory_entry(7, 1), 1);
  swap(machine.ddt_root, 1);
  swap(table, 4);
  enable(3);
  EXPECT_EQ(send(3).fault.cause, 0);
  EXPECT_EQ(machine.memory.load(kFile), 1U << 3);
  EXPECT_EQ(machine.memory.load32(kNotice), kNoticeId);
}

TEST_P(Mrif, WhatIsNoMessageIsIgnored) {
  enable(5);
  const auto ignored = [&](const Request& request) {
    const Outcome outcome = machine.engine.translate(request);
    return outcome.kind == Outcome::Kind::kTranslated && outcome.absorbed() && pending(5) == 0 &&
           machine.memory.load(kNotice) == 0;
  };
  Request request = message(5);
  request.bytes = 2;
  EXPECT_TRUE(ignored(request)) << "another length";
  request = message(5);
  request.access = Access::kRead;
  EXPECT_TRUE(ignored(request));
  request.access = Access::kAtomic;
  EXPECT_TRUE(ignored(request));
  EXPECT_TRUE(ignored(message(5, 8))) << "another place in the page";
  EXPECT_TRUE(ignored(message(5, 2))) << "not aligned";
  EXPECT_TRUE(ignored(message(0))) << "no identity";
  EXPECT_TRUE(ignored(message(2048)));
  EXPECT_TRUE(ignored(message(0x10005)));
}

TEST_P(Mrif, WithoutTheDataTheOutcomeSaysWhereToStore) {
  Request request = message(5);
  request.stores_msi = false;
  const Outcome outcome = machine.engine.translate(request);
  EXPECT_FALSE(outcome.absorbed());
  EXPECT_EQ(outcome.msi.mrif_address, kFile);
  EXPECT_EQ(pending(5), 0U);
}

TEST_P(Mrif, LookingStoresNothing) {
  EXPECT_TRUE(machine.engine.peek(message(5)).absorbed());
  EXPECT_EQ(pending(5), 0U);
}

TEST_P(Mrif, FaultsOfTheFile) {
  enable(5);
  const auto record = [&](std::uint64_t failing, MemoryStatus status) {
    machine.memory.failing = {{failing, status}};
    EXPECT_EQ(send(5).response, Response::kUnsupportedRequest);
    const std::vector<Record> records = machine.take_records();
    EXPECT_EQ(records.size(), 1U);
    return records.at(0);
  };
  const Record unreachable = record(kFile, MemoryStatus::kAccessFault);
  EXPECT_EQ(unreachable.cause, 264U);
  EXPECT_EQ(unreachable.ttyp, 3U) << "untranslated write";
  EXPECT_EQ(unreachable.iotval, 0x28001000U);
  EXPECT_EQ(record(kFile, MemoryStatus::kCorrupt).cause, 271U);
  EXPECT_EQ(pending(5), 0U);
  EXPECT_EQ(record(kFile + 8, MemoryStatus::kCorrupt).cause, 271U) << "of the enable bits";
  EXPECT_EQ(pending(5), 1U << 5);
  const Record notice = record(kNotice, MemoryStatus::kAccessFault);
  EXPECT_EQ(notice.cause, 273U);
  EXPECT_EQ(notice.ttyp, 0U);
  EXPECT_EQ(notice.iotval, kNotice);
}

TEST_P(Mrif, FaultsAreSilentWithDtf) {
  attach(1 | spec::dc_tc::kDtf.mask());
  machine.memory.failing = {{kFile, MemoryStatus::kAccessFault}};
  EXPECT_EQ(send(5).response, Response::kUnsupportedRequest);
  EXPECT_TRUE(machine.take_records().empty());
}

/// Drives the process by hand: what it asks for, in order.
TEST_P(Mrif, AsksForTheFileWithTheDevicesQosIds) {
  machine.write32(spec::kIommuQosidOffset, spec::iommu_qosid::kRcid.of(9) | spec::iommu_qosid::kMcid.of(10));
  enable(5);
  Translation translation;
  translation.start(message(5), machine.registers);
  std::string asked;
  bool interfered = false;
  while (translation.ask().kind != AskKind::kDone) {
    const Ask& ask = translation.ask();
    const MemoryAsk& access = ask.memory;
    switch (ask.kind) {
      case AskKind::kRead:
        if (access.structure == Structure::kMrif) asked += "r";
        EXPECT_EQ(access.qos, (access.structure == Structure::kDdt ? QosId{9, 10} : QosId{5, 6}));
        translation.memory(machine.memory.read(access));
        break;
      case AskKind::kWrite:
        asked += access.structure == Structure::kMrif ? "w" : "n";
        EXPECT_EQ(access.qos, (access.structure == Structure::kMrif ? QosId{5, 6} : QosId{9, 10}));
        translation.memory({machine.memory.write(access), {}});
        break;
      case AskKind::kCompareSwap:
        asked += "s";
        if (!interfered) machine.memory.store(kFile, 0x100);  // somebody else's bit
        interfered = true;
        translation.memory(machine.memory.compare_swap(access));
        break;
      default:
        if (ask.kind == AskKind::kFillDevice || ask.kind == AskKind::kFillDirectory || ask.kind == AskKind::kFillMsi)
          translation.resume();
        else
          translation.miss();
    }
  }
  EXPECT_EQ(asked, GetParam() ? "rssrn" : "rwrn");
  EXPECT_EQ(machine.memory.load(kFile), GetParam() ? 0x120U : 0x20U);
  EXPECT_EQ(translation.outcome().qos, (QosId{5, 6}));
}

}  // namespace
}  // namespace iommusim::translate::test
