// SPDX-License-Identifier: Apache-2.0
// Which QoS identifiers go with which access (IOMMU 2.1.3.3, 5.27).
#include "translate/qos.h"

#include <gtest/gtest.h>

#include <set>

#include "machine.h"

namespace iommusim::translate::test {

constexpr QosId kOfTheIommu{9, 10};
constexpr QosId kOfTheDevice{5, 6};

/// Device 7: process directory in guest memory, Sv39 over Sv39x4, updates of A and D, an MSI page table.
struct QosMachine {
  Machine machine{[] {
    spec::Implementation implementation;
    implementation.msi_flat = implementation.qosid = implementation.pd8 = true;
    implementation.qosid_mask = ~0U;
    return implementation;
  }()};
  AddressSpace space = machine.space(8, 8);
  std::set<Structure> seen;

  QosMachine() {
    machine.write32(spec::kIommuQosidOffset, spec::iommu_qosid::kRcid.of(9) | spec::iommu_qosid::kMcid.of(10));
    const std::uint64_t directory = machine.guest_frames.take();
    space.map_guest(directory);
    const std::uint64_t process = space.spa_of_table(directory) + 3 * spec::kProcessContextBytes;
    machine.memory.store(process, 1);
    machine.memory.store(process + 8, space.fsc());
    space.map(0x1000, 0x3000, 0, flags::kAll & ~flags::kA);
    space.map(0x2000, 0x28001000);
    const std::uint64_t messages = machine.frames.take();
    machine.memory.store(messages + spec::kMsiPteBytes, 1 | 3 << 1 | 0x99ULL << 10);
    spec::DeviceContext context;
    context.words = {1 | spec::dc_tc::kPdtv.mask() | spec::dc_tc::kSade.mask() | spec::dc_tc::kGade.mask(),
                     space.iohgatp(1),
                     spec::dc_ta::kRcid.of(5) | spec::dc_ta::kMcid.of(6),
                     spec::dc_fsc::kMode.of(spec::pdtp_mode::kPd8) | directory >> 12,
                     1ULL << 60 | messages >> 12,
                     7,
                     0x28000};
    machine.set_context(7, context);
  }
  /// Translates a write, and looks at every access on the way.
  Outcome translate(std::uint64_t iova) {
    Request request = Machine::request(7, iova, Access::kWrite);
    request.process_valid = true;
    request.process = base::ProcessId(3);
    Translation translation;
    translation.start(request, machine.registers);
    while (translation.ask().kind != AskKind::kDone) {
      const Ask& ask = translation.ask();
      if (ask.kind == AskKind::kRead || ask.kind == AskKind::kCompareSwap) {
        seen.insert(ask.memory.structure);
        EXPECT_EQ(ask.memory.qos, ask.memory.structure == Structure::kDdt ? kOfTheIommu : kOfTheDevice)
            << static_cast<unsigned>(ask.memory.structure);
        translation.memory(ask.kind == AskKind::kRead ? machine.memory.read(ask.memory)
                                                      : machine.memory.compare_swap(ask.memory));
      } else if (ask.kind >= AskKind::kFillDevice) {
        translation.resume();
      } else {
        translation.miss();
      }
    }
    return translation.outcome();
  }
};

TEST(Qos, EveryStructureIsReadWithItsIdentifiers) {
  QosMachine qos;
  const Outcome dma = qos.translate(0x1000);
  EXPECT_EQ(dma.spa, 0x3000 + kGuestOffset);
  EXPECT_EQ(dma.qos, kOfTheDevice) << "what is forwarded";
  EXPECT_EQ(qos.machine.memory.swaps, 1U);
  EXPECT_EQ(qos.translate(0x2000).spa, 0x99000U);
  EXPECT_EQ(qos.seen,
            (std::set<Structure>{Structure::kDdt, Structure::kPdt, Structure::kFirstStage, Structure::kSecondStage,
                                 Structure::kSecondStageImplicit, Structure::kMsiPte}));
}

TEST(Qos, QueuesAndMessagesHaveThoseOfTheIommu) {
  QosMachine qos;
  qos.machine.engine.set_commands_run_freely(false);
  qos.machine.command(1, 0);
  CommandExecution command;
  command.start(qos.machine.registers);
  EXPECT_EQ(command.ask().memory.qos, kOfTheIommu);
  FaultReport report;
  report.start({}, qos.machine.registers);
  EXPECT_EQ(report.ask().memory.qos, kOfTheIommu);
}

TEST(Qos, BareTrafficHasThoseOfTheIommu) {
  spec::Implementation implementation;
  implementation.qosid = true;
  implementation.qosid_mask = ~0U;
  implementation.reset_mode = spec::DdtMode::kBare;
  Registers registers(implementation);
  registers.write(spec::kIommuQosidOffset, 4, spec::iommu_qosid::kRcid.of(9) | spec::iommu_qosid::kMcid.of(10));
  Translation translation;
  translation.start(Machine::request(7, 0x1000), registers);
  EXPECT_EQ(translation.outcome().qos, kOfTheIommu);
}

}  // namespace iommusim::translate::test
