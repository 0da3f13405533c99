// SPDX-License-Identifier: Apache-2.0
// Direct access (DMI) through the IOMMU in functional mode, through the bus, and to the memory.
#include <gtest/gtest.h>

#include "iommu_bench.h"
#include "tlm/dma_bus.h"

namespace iommusim::bus {
namespace {

using namespace iommu_bench;

IommuParams with_dmi(bool dmi = true) {
  IommuParams params;
  params.mode = IommuMode::kFunctional;
  params.implementation.hpm = true;
  params.implementation.num_hpm = 2;
  params.dmi = dmi;
  return params;
}

/// An initiator that notes what is taken back.
class DirectInitiator : public sc_core::sc_module, ::tlm::tlm_bw_transport_if<> {
 public:
  explicit DirectInitiator(const sc_core::sc_module_name& name) : sc_module(name), socket("socket") {
    socket.bind(*this);
  }
  InitiatorSocket socket;
  unsigned revocations = 0;

  bool ask(bool write, std::uint64_t iova) {
    PooledPayload& payload = pool_.take();
    set_access(payload, write, iova, payload.buffer(), 64);
    payload.dma.device = base::DeviceId(kDevice);
    const bool granted = socket->get_direct_mem_ptr(payload, direct);
    EXPECT_EQ(payload.is_dmi_allowed(), granted);
    payload.release();
    return granted;
  }
  ::tlm::tlm_dmi direct;

 private:
  ::tlm::tlm_sync_enum nb_transport_bw(Payload&, ::tlm::tlm_phase&, sc_core::sc_time&) override {
    return ::tlm::TLM_ACCEPTED;
  }
  void invalidate_direct_mem_ptr(sc_dt::uint64 first, sc_dt::uint64 last) override {
    EXPECT_EQ(first, 0U);
    EXPECT_EQ(last, ~0ULL);
    ++revocations;
  }
  PayloadPool pool_{64};
};

/// As IommuBench, with the asking device behind a bus.
struct DirectBench {
  explicit DirectBench(const IommuParams& params = with_dmi())
      : bus("bus", {}, {"device"}, stats),
        memory("memory", IommuBench::memory_params(params.dmi), {"dma", "own"}, stats),
        iommu("iommu", params, 1, 1, stats) {
    device.socket.bind(bus.port(0));
    bus.to_iommu().bind(iommu.dma(0));
    cpu.socket.bind(iommu.registers());
    iommu.memory_dma().bind(memory.port(0));
    iommu.memory_own().bind(memory.port(1));
    AddressSpace space = tables.space(8, 0);
    space.map(0x10000, 0x50000);
    space.map(0x11000, 0x52000, 0, timing::test::flags::kAll & ~timing::test::flags::kD);
    space.map(0x12000, 0x54000, 0, timing::test::flags::kAll & ~timing::test::flags::kA);
    space.map(0x13000, 0x56000, 0, timing::test::flags::kAll & ~timing::test::flags::kW);
    tables.attach(kDevice, space);
    tables.memory.for_each_word(
        [this](std::uint64_t address, std::uint64_t word) { memory.store().store64(address, word); });
    write_register(spec::kCqbOffset, 8, tables.command_address(0) >> 2 | 7);
    write_register(spec::kCqcsrOffset, 4, spec::cqcsr::kCqen.mask());
    write_register(spec::kDdtpOffset, 8, tables.ddt_root >> 2 | 4);
    sc_test::run_to(1'000'000);
  }
  void write_register(std::uint32_t offset, std::uint32_t bytes, std::uint64_t value) {
    PooledPayload& payload = cpu.pool.take();
    std::memcpy(payload.buffer(), &value, bytes);
    set_access(payload, true, offset, payload.buffer(), bytes);
    EXPECT_EQ(cpu.socket->transport_dbg(payload), bytes);
    payload.release();
  }
  void command(std::uint64_t word0) {
    memory.store().store64(tables.command_address(commands), word0);
    write_register(spec::kCqtOffset, 4, ++commands);
  }

  stats::Group stats{"system"};
  Machine tables;
  DirectInitiator device{"device"};
  sc_test::RawInitiator cpu{"cpu"};
  DmaBus bus;
  Memory memory;
  Iommu iommu;
  std::uint32_t commands = 0;
};

SC_TEST(IommuDirect, PointsToTheBytesOfThePage) {
  DirectBench bench;
  bench.memory.store().store64(0x50108, 42);
  ASSERT_TRUE(bench.device.ask(false, 0x10108));
  EXPECT_EQ(bench.device.direct.get_start_address(), 0x10000U);
  EXPECT_EQ(bench.device.direct.get_end_address(), 0x10fffU);
  EXPECT_EQ(bench.device.direct.get_dmi_ptr()[0x108], 42);
  EXPECT_TRUE(bench.device.direct.is_read_allowed());
  EXPECT_FALSE(bench.device.direct.is_write_allowed());
  ASSERT_TRUE(bench.device.ask(true, 0x10000));
  EXPECT_TRUE(bench.device.direct.is_write_allowed());
  EXPECT_GE(bench.device.direct.get_write_latency().value(), kLatency * 1000) << "memory, and the links";
}

SC_TEST(IommuDirect, NeedsAccessedAndDirtyAndPermission) {
  DirectBench bench;
  EXPECT_TRUE(bench.device.ask(false, 0x11000));
  EXPECT_FALSE(bench.device.ask(true, 0x11000)) << "D is 0";
  EXPECT_FALSE(bench.device.ask(false, 0x12000)) << "A is 0";
  EXPECT_TRUE(bench.device.ask(false, 0x13000));
  EXPECT_FALSE(bench.device.ask(true, 0x13000)) << "not writable";
  EXPECT_FALSE(bench.device.ask(false, 0x14000)) << "not mapped";
  EXPECT_EQ(bench.memory.store().load64(bench.tables.fault_address(0)), 0U) << "nothing is recorded";
}

SC_TEST(IommuDirect, IsTakenBackBeforeAnInvalidationCompletes) {
  DirectBench bench;
  ASSERT_TRUE(bench.device.ask(false, 0x10000));
  bench.command(timing::test::kFence);
  EXPECT_EQ(bench.device.revocations, 0U) << "a fence invalidates nothing";
  bench.command(spec::opcode::kIotinval);
  EXPECT_EQ(bench.device.revocations, 1U);
  bench.command(spec::opcode::kIotinval);
  EXPECT_EQ(bench.device.revocations, 1U) << "nothing was granted since";
  ASSERT_TRUE(bench.device.ask(false, 0x10000));
  bench.command(spec::opcode::kIodir);
  EXPECT_EQ(bench.device.revocations, 2U);
  ASSERT_TRUE(bench.device.ask(false, 0x10000));
  bench.write_register(spec::kDdtpOffset, 8, 0);
  EXPECT_EQ(bench.device.revocations, 3U);
}

SC_TEST(IommuDirect, NotWhileRequestsAreCounted) {
  DirectBench bench;
  ASSERT_TRUE(bench.device.ask(false, 0x10000));
  bench.write_register(spec::kIohpmevtOffset, 8, 1);
  EXPECT_EQ(bench.device.revocations, 1U);
  EXPECT_FALSE(bench.device.ask(false, 0x10000));
  bench.write_register(spec::kIocountinhOffset, 4, 2);
  EXPECT_TRUE(bench.device.ask(false, 0x10000)) << "the counter is inhibited";
}

SC_TEST(IommuDirect, OffUnlessAskedFor) {
  DirectBench bench(with_dmi(false));
  EXPECT_FALSE(bench.device.ask(false, 0x10000));
}

SC_TEST(IommuDirect, NotInTheCycleModel) {
  IommuParams params = with_dmi();
  params.mode = IommuMode::kCycle;
  DirectBench bench(params);
  EXPECT_FALSE(bench.device.ask(false, 0x10000));
}

}  // namespace
}  // namespace iommusim::bus
