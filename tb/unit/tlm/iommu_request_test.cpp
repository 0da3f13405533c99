// SPDX-License-Identifier: Apache-2.0
// Messages of a device that belongs to a virtual machine, in both modes of the module: into a memory-resident interrupt
// file, and into one of an interrupt controller. And what the accesses that leave say of their origin.
#include "tlm/iommu_request.h"

#include "iommu_bench.h"

namespace iommusim::bus {
namespace {

using namespace iommu_bench;

constexpr std::uint32_t kGuest = 7;  // a device
constexpr std::uint64_t kFile = 0x123400, kNotice = 0x140000, kImsic = 0x150000;
constexpr std::uint64_t kMrifPage = 0x28001000, kImsicPage = 0x28002000;

/// Notes the origin of each access, by address.
struct Spy : FaultInjector {
  Injected inspect(unsigned port, const Payload& payload) override {
    const auto* const origin = payload.get_extension<OriginExtension>();
    if (origin == nullptr)
      ADD_FAILURE() << "an access of unknown origin";
    else
      seen[payload.get_address()] = *origin;
    ++(port == 0 ? dma : own);
    return {};
  }
  std::map<std::uint64_t, OriginExtension> seen;
  unsigned dma = 0, own = 0;
};

struct VirtualMachine : IommuBench {
  explicit VirtualMachine(IommuMode mode) : IommuBench(params_of(mode)) {
    AddressSpace space = tables.space(0, 8);
    space.map_second(0x10000, 0x60000, 0);
    const std::uint64_t table = tables.frames.take();
    tables.memory.store(table + 16, 3 | kFile >> 2);
    tables.memory.store(table + 24, 0x2aULL | kNotice >> 2);
    tables.memory.store(table + 32, 7 | kImsic >> 2);
    spec::DeviceContext context;
    context.words = {1,           space.iohgatp(1),         spec::dc_ta::kRcid.of(5) | spec::dc_ta::kMcid.of(6),
                     space.fsc(), 1ULL << 60 | table >> 12, 7,
                     0x28000};
    tables.set_context(kGuest, context);
    load_tables();
    write_register(spec::kIommuQosidOffset, 4, spec::iommu_qosid::kRcid.of(9) | spec::iommu_qosid::kMcid.of(10));
    memory.inject(&spy);
  }
  static IommuParams params_of(IommuMode mode) {
    IommuParams params;
    params.mode = mode;
    params.implementation.msi_flat = params.implementation.msi_mrif = params.implementation.amo_mrif = true;
    params.implementation.qosid = true;
    params.implementation.qosid_mask = ~0U;
    return params;
  }
  /// A DMA of the device of the machine, from its start to its answer.
  PooledPayload& access(bool write, std::uint64_t address, std::uint32_t bytes, std::uint64_t data = 0) {
    PooledPayload& payload = prepare(write, address, bytes);
    payload.dma.device = base::DeviceId(kGuest);
    std::memcpy(payload.buffer(), &data, std::min(bytes, 8U));
    device.send(payload);
    sc_test::run_to(now_ps() + 5'000'000);
    EXPECT_TRUE(payload.is_response_ok());
    return payload;
  }
  std::uint64_t word(std::uint64_t address) { return memory.store().load64(address); }
  Spy spy;
};

void reaches_the_memory_resident_file(IommuMode mode) {
  VirtualMachine machine(mode);
  machine.memory.store().store64(kFile + 8, 1U << 9);
  machine.access(true, kMrifPage, 4, 8).release();
  EXPECT_EQ(machine.word(kFile), 1U << 8);
  EXPECT_EQ(machine.word(kNotice), 0U) << "interrupt 8 is not enabled";
  machine.access(true, kMrifPage, 4, 9).release();
  EXPECT_EQ(machine.word(kFile), 3U << 8);
  EXPECT_EQ(machine.word(kNotice), 0x2aU);
  machine.access(true, kMrifPage, 8, 10).release();
  EXPECT_EQ(machine.word(kFile), 3U << 8) << "no message";
  PooledPayload& read = machine.access(false, kMrifPage, 8, ~0ULL);
  EXPECT_EQ(*reinterpret_cast<const std::uint64_t*>(read.buffer()), 0U);
  read.release();
  EXPECT_EQ(machine.spy.dma, 0U) << "nothing of that went on as DMA";
  EXPECT_EQ(machine.spy.seen[kFile].qos, (translate::QosId{5, 6}));
  EXPECT_EQ(machine.spy.seen[kFile].structure, translate::Structure::kMrif);
  EXPECT_EQ(machine.spy.seen[kNotice].qos, (translate::QosId{9, 10}));
  EXPECT_TRUE(machine.iommu.idle());
}

SC_TEST(IommuRequest, AMessageReachesTheMemoryResidentFileInCycleMode) {
  reaches_the_memory_resident_file(IommuMode::kCycle);
}
SC_TEST(IommuRequest, AMessageReachesTheMemoryResidentFileInFunctionalMode) {
  reaches_the_memory_resident_file(IommuMode::kFunctional);
}

SC_TEST(IommuRequest, DebugTransportLeavesTheFileAlone) {
  VirtualMachine machine(IommuMode::kCycle);
  PooledPayload& payload = machine.prepare(true, kMrifPage, 4);
  payload.dma.device = base::DeviceId(kGuest);
  *payload.buffer() = 8;
  EXPECT_EQ(machine.device.socket->transport_dbg(payload), 4U);
  EXPECT_EQ(machine.word(kFile), 0U);
  EXPECT_EQ(machine.word(kNotice), 0U);
  payload.release();
}

void is_a_plain_store(IommuMode mode) {
  VirtualMachine machine(mode);
  machine.access(true, kImsicPage + 4, 4, 0x77).release();
  EXPECT_EQ(machine.word(kImsic), 0x77ULL << 32);
  EXPECT_EQ(machine.spy.dma, 1U);
  EXPECT_FALSE(machine.spy.seen[kImsic + 4].own);
}

SC_TEST(IommuRequest, AMessageToAnInterruptControllerIsAPlainStoreInCycleMode) { is_a_plain_store(IommuMode::kCycle); }
SC_TEST(IommuRequest, AMessageToAnInterruptControllerIsAPlainStoreInFunctionalMode) {
  is_a_plain_store(IommuMode::kFunctional);
}

void accesses_say_what_they_are_for(IommuMode mode) {
  VirtualMachine machine(mode);
  machine.access(true, 0x10000, 8).release();
  const OriginExtension dma = machine.spy.seen[0x60000];
  EXPECT_FALSE(dma.own);
  EXPECT_EQ(dma.device, base::DeviceId(kGuest));
  EXPECT_EQ(dma.qos, (translate::QosId{5, 6})) << "of the device context";
  std::map<translate::Structure, translate::QosId> own;
  for (const auto& [address, origin] : machine.spy.seen)
    if (origin.own) own[origin.structure] = origin.qos;
  EXPECT_EQ(own.size(), 2U);
  EXPECT_EQ(own[translate::Structure::kDdt], (translate::QosId{9, 10})) << "of iommu_qosid";
  EXPECT_EQ(own[translate::Structure::kSecondStage], (translate::QosId{5, 6}));
}

SC_TEST(IommuRequest, AccessesSayWhatTheyAreForInCycleMode) { accesses_say_what_they_are_for(IommuMode::kCycle); }
SC_TEST(IommuRequest, AccessesSayWhatTheyAreForInFunctionalMode) {
  accesses_say_what_they_are_for(IommuMode::kFunctional);
}

}  // namespace
}  // namespace iommusim::bus
