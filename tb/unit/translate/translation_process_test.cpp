// SPDX-License-Identifier: Apache-2.0
// Locating the process context (IOMMU 2.3 steps 11 to 16, 2.3.2), in host and in guest memory.
#include <gtest/gtest.h>

#include "machine.h"

namespace iommusim::translate::test {

struct ProcessShape {
  unsigned levels;
  unsigned second_mode;
};

class ProcessDirectory : public testing::TestWithParam<ProcessShape> {
 protected:
  static constexpr std::uint32_t kProcess = 0xa5;
  ProcessDirectory()
      : machine_([] {
          spec::Implementation implementation;
          implementation.pd8 = implementation.pd17 = implementation.pd20 = true;
          return implementation;
        }()),
        space_(machine_.space(8, GetParam().second_mode)) {
    if (guest()) space_.map_guest(root_ = machine_.guest_frames.take());
    if (!guest()) root_ = machine_.frames.take();
    set_context(spec::dc_tc::kPdtv.mask());
    space_.map(0x1000, 0x98000000, 0);
    set_process(kProcess, 1 | spec::pc_ta::kPscid.of(9));
  }
  bool guest() const { return GetParam().second_mode != 0; }
  void set_context(std::uint64_t tc) {
    spec::DeviceContext context;
    context.words = {tc | 1, space_.iohgatp(1), 0, spec::dc_fsc::kMode.of(GetParam().levels) | root_ >> 12};
    machine_.set_context(7, context);
  }
  /// System-physical address of the entry of this level.
  std::uint64_t entry(std::uint32_t process, unsigned level) {
    std::uint64_t table = root_;
    for (unsigned i = GetParam().levels - 1; i > level; --i) {
      const std::uint64_t address = space_.spa_of_table(table) + base::bits(process, i == 2 ? 17 : 8, 9) * 8;
      if (machine_.memory.load(address) == 0) {
        const std::uint64_t next = guest() ? machine_.guest_frames.take() : machine_.frames.take();
        if (guest()) space_.map_guest(next);
        machine_.memory.store(address, next >> 2 | 1);
      }
      table = spec::pdte::kPpn.get(machine_.memory.load(address)) << 12;
    }
    const std::uint64_t offset = level == 0 ? (process & 0xff) * 16 : base::bits(process, level == 2 ? 17 : 8, 9) * 8;
    return space_.spa_of_table(table) + offset;
  }
  void set_process(std::uint32_t process, std::uint64_t ta) {
    machine_.memory.store(entry(process, 0), ta);
    machine_.memory.store(entry(process, 0) + 8, space_.fsc());
  }
  Outcome translate(std::uint32_t process = kProcess, bool privileged = false) {
    Request request = Machine::request(7, 0x1234);
    request.process_valid = true;
    request.process = base::ProcessId(process);
    request.privileged = privileged;
    return machine_.engine.translate(request);
  }
  Machine machine_;
  AddressSpace space_;
  std::uint64_t root_ = 0;
};

TEST_P(ProcessDirectory, SelectsTheAddressSpace) {
  machine_.memory.clear_counts();
  EXPECT_EQ(translate().spa, 0x98000234 + (guest() ? kGuestOffset : 0));
  const unsigned second = guest() ? space_.second.levels : 0;
  EXPECT_EQ(machine_.memory.reads_of(Structure::kPdt), GetParam().levels);
  EXPECT_EQ(machine_.memory.reads_of(Structure::kSecondStageImplicit), (GetParam().levels + 3) * second);
}

TEST_P(ProcessDirectory, EveryBitOfTheProcessIdCounts) {
  const unsigned bits = GetParam().levels == 1 ? 8 : GetParam().levels == 2 ? 17 : 20;
  for (unsigned bit = 0; bit < 20; ++bit) {
    if (bit < bits) set_process(1U << bit, 1);
    EXPECT_EQ(translate(1U << bit).fault.cause, bit < bits ? 0 : 260) << bit;
  }
  EXPECT_EQ(translate(0).fault.cause, 266);
}

TEST_P(ProcessDirectory, EntriesAreChecked) {
  for (unsigned level = 1; level < GetParam().levels; ++level) {
    const std::uint64_t address = entry(kProcess, level);
    const std::uint64_t good = machine_.memory.load(address);
    machine_.memory.store(address, good & ~1ULL);
    EXPECT_EQ(translate().fault.cause, 266);
    machine_.memory.store(address, good | 2);
    EXPECT_EQ(translate().fault.cause, 267);
    machine_.memory.store(address, good);
  }
  set_process(kProcess, 1 | 8);
  EXPECT_EQ(translate().fault.cause, 267);
  set_process(kProcess, 1);
  for (unsigned level = 0; level < GetParam().levels; ++level) {
    machine_.memory.failing = {{entry(kProcess, level), MemoryStatus::kAccessFault}};
    EXPECT_EQ(translate().fault.cause, 265);
    machine_.memory.failing = {{entry(kProcess, level), MemoryStatus::kCorrupt}};
    EXPECT_EQ(translate().fault.cause, 269);
  }
}

TEST_P(ProcessDirectory, SecondStageFaultsOfTheDirectory) {
  if (!guest()) return;
  const std::uint64_t leaf_entry = space_.second_entry(root_, 0);
  machine_.memory.failing = {{leaf_entry, MemoryStatus::kAccessFault}};
  EXPECT_EQ(translate().fault.cause, 265);
  machine_.memory.failing = {{leaf_entry, MemoryStatus::kCorrupt}};
  EXPECT_EQ(translate().fault.cause, 269);
  machine_.memory.failing.clear();
  machine_.memory.store(leaf_entry, 0);
  const Outcome outcome = translate();
  EXPECT_EQ(outcome.fault.cause, 21);
  EXPECT_EQ(outcome.fault.iotval2 & 3, 1U) << "implicit, a read";
  EXPECT_EQ(outcome.fault.iotval2 & ~4095ULL, root_);
}

TEST_P(ProcessDirectory, SupervisorNeedsEnsAndRespectsSum) {
  EXPECT_EQ(translate(kProcess, true).fault.cause, 260);
  set_process(kProcess, 1 | spec::pc_ta::kEns.mask());
  EXPECT_EQ(translate(kProcess, true).fault.cause, 13) << "a user page, SUM = 0";
  set_process(kProcess, 1 | spec::pc_ta::kEns.mask() | spec::pc_ta::kSum.mask());
  EXPECT_EQ(translate(kProcess, true).kind, Outcome::Kind::kTranslated);
  Request request = Machine::request(7, 0x1234);
  request.process_valid = request.privileged = request.execute = true;
  request.process = base::ProcessId(kProcess);
  EXPECT_EQ(machine_.engine.translate(request).fault.cause, 12) << "a supervisor executes no user page";
  const std::uint64_t pte = space_.first_entry(0x1000, 0);
  machine_.memory.store(pte, machine_.memory.load(pte) & ~flags::kU);
  EXPECT_EQ(machine_.engine.translate(request).kind, Outcome::Kind::kTranslated);
  EXPECT_EQ(translate(kProcess, false).fault.cause, 13) << "a user may not touch it";
}

TEST_P(ProcessDirectory, OffersTheContextToCaches) {
  Request request = Machine::request(7, 0x1234);
  request.process_valid = true;
  request.process = base::ProcessId(kProcess);
  Translation translation;
  translation.start(request, machine_.registers);
  while (translation.ask().kind != AskKind::kFillProcess) {
    ASSERT_NE(translation.ask().kind, AskKind::kDone);
    if (translation.ask().kind == AskKind::kRead) {
      translation.memory(machine_.memory.read(translation.ask().memory));
    } else if (translation.ask().kind >= AskKind::kFillDevice) {
      translation.resume();
    } else {
      translation.miss();
    }
  }
  EXPECT_EQ(translation.ask().device.value, 7U);
  EXPECT_EQ(translation.ask().process.value, kProcess);
  ASSERT_NE(translation.ask().process_context, nullptr);
  EXPECT_EQ(translation.ask().process_context->pscid().value, 9U);
  EXPECT_EQ(translation.ask().process_context->fsc(), space_.fsc());
}

TEST_P(ProcessDirectory, WithoutProcessIdDpeDecides) {
  EXPECT_EQ(machine_.translate(7, 0x98000000).bypass, !guest()) << "no first stage";
  set_context(spec::dc_tc::kPdtv.mask() | spec::dc_tc::kDpe.mask());
  EXPECT_EQ(machine_.translate(7, 0x1000).fault.cause, 266) << "process 0 has no context";
  set_process(0, 1);
  EXPECT_EQ(machine_.translate(7, 0x1234).spa, 0x98000234 + (guest() ? kGuestOffset : 0));
}

INSTANTIATE_TEST_SUITE_P(Shapes, ProcessDirectory,
                         testing::Values(ProcessShape{1, 0}, ProcessShape{2, 0}, ProcessShape{3, 0}, ProcessShape{1, 8},
                                         ProcessShape{2, 9}, ProcessShape{3, 10}),
                         [](const auto& info) {
                           return "levels" + std::to_string(info.param.levels) + "_second" +
                                  std::to_string(info.param.second_mode);
                         });

}  // namespace iommusim::translate::test
