// SPDX-License-Identifier: Apache-2.0
#include "tlm/iommu_functional.h"

#include "iommu_bench.h"

namespace iommusim::bus {
namespace {

using namespace iommu_bench;

IommuParams functional() {
  IommuParams params;
  params.mode = IommuMode::kFunctional;
  return params;
}

SC_TEST(IommuFunctional, BlockingTransportAnnotatesItsDelay) {
  IommuBench bench(functional());
  bench.memory.store().store64(0x52100, 42);
  PooledPayload& payload = bench.prepare(false, 0x11100, 8);
  sc_core::sc_time delay(7, sc_core::SC_NS);
  const Picoseconds start = now_ps();
  bench.device.socket->b_transport(payload, delay);
  EXPECT_EQ(now_ps(), start);
  EXPECT_EQ(delay.value(), (7 + 3 * kLatency + 3 * kLatency + kLatency) * 1000) << "directory, table, the DMA itself";
  EXPECT_TRUE(payload.is_response_ok());
  EXPECT_EQ(*payload.buffer(), 42);
  payload.release();
}

SC_TEST(IommuFunctional, NonBlockingTransportAnswersAfterThatDelay) {
  IommuBench bench(functional());
  const Picoseconds start = now_ps();
  PooledPayload& first = bench.begin(false, 0x11100, 8);
  PooledPayload& second = bench.begin(false, 0x900000, 8);
  sc_test::run_to(start + 7 * kLatency * 1000 - 1);
  EXPECT_EQ(bench.device.answered(first), kNever);
  sc_test::run_to(start + 7 * kLatency * 1000);
  EXPECT_EQ(bench.device.answered(first), start + 7 * kLatency * 1000);
  sc_test::run_to(start + 50'000'000);
  EXPECT_EQ(second.dma.response, translate::Response::kUnsupportedRequest);
  EXPECT_EQ(bench.memory.store().load64(bench.tables.fault_address(0)) & 0xfff, 13U);
  ASSERT_FALSE(bench.levels.empty());
  EXPECT_TRUE(bench.levels.back().second);
  EXPECT_TRUE(bench.iommu.idle());
  EXPECT_EQ(bench.checker.violations().size(), 0U);
}

SC_TEST(IommuFunctional, CommandsTakeEffectWithinTheRegisterWrite) {
  IommuBench bench(functional());
  bench.write_register(spec::kCqcsrOffset, 4, spec::cqcsr::kCqen.mask());
  bench.memory.store().store64(bench.tables.command_address(0), timing::test::kFence | spec::iofence_w0::kAv.mask() |
                                                                    spec::iofence_w0::kData.of(0x1234));
  bench.memory.store().store64(bench.tables.command_address(0) + 8, 0x70000 >> 2);
  bench.write_register(spec::kCqtOffset, 4, 1);
  EXPECT_EQ(bench.memory.store().load64(0x70000), 0x1234U);
  EXPECT_EQ(bench.iommu.engine().registers().read(spec::kCqhOffset, 4), 1U);
}

SC_TEST(IommuFunctional, CyclesAreCountedAndTheirOverflowInterrupts) {
  IommuParams params = functional();
  params.implementation.hpm = true;
  params.implementation.num_hpm = 2;
  IommuBench bench(params);
  const auto cycles = [&bench] {
    std::uint64_t value = 0;
    Payload payload;
    set_access(payload, false, spec::kIohpmcyclesOffset, reinterpret_cast<std::uint8_t*>(&value), 8);
    EXPECT_EQ(bench.cpu.socket->transport_dbg(payload), 8U);
    return value;
  };
  const Picoseconds start = now_ps();
  const std::uint64_t before = cycles();
  sc_test::run_to(start + 5'000'000);
  EXPECT_EQ(cycles() - before, 5000U) << "of 1 ns";
  bench.write_register(spec::kIohpmcyclesOffset, 8, (1ULL << 63) - 1000);
  sc_test::run_to(start + 5'999'000);
  EXPECT_TRUE(bench.levels.empty());
  sc_test::run_to(start + 6'000'000);
  ASSERT_EQ(bench.levels.size(), 1U);
  EXPECT_TRUE(bench.levels[0].second);
  EXPECT_EQ(cycles(), 1ULL << 63) << "OF, and begun anew";
}

}  // namespace
}  // namespace iommusim::bus
