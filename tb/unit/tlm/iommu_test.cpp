// SPDX-License-Identifier: Apache-2.0
#include "tlm/iommu.h"

#include "iommu_bench.h"
#include "stats/report.h"

namespace iommusim::bus {
namespace {

using namespace iommu_bench;

/// When requests come and for which page: bursts that merge, hits, a fault.
std::vector<std::pair<base::Cycle, std::uint64_t>> script() {
  std::vector<std::pair<base::Cycle, std::uint64_t>> requests;
  for (std::uint64_t i = 0; i < 60; ++i) requests.emplace_back(10 + 3 * i, 0x10000 + (i * 7 % 17) * 0x1000 + i * 8);
  return requests;
}

SC_TEST(Iommu, TakesTheSameCyclesAsUnderThePlainDriver) {
  IommuBench bench;
  timing::PlainDriverParams driver_params;
  driver_params.memory_cycles = driver_params.forward_cycles = kLatency;
  TimedMachine plain({}, driver_params);
  build_tables(plain.tables);

  const auto start_window = [](timing::Engine& engine, base::Cycle now) {
    engine.stats().advance(now);
    engine.stats().reset();
  };
  const base::Cycle start = 11'000;
  sc_test::run_to(start * 1000);
  start_window(bench.iommu.engine(), start);
  for (const auto& [cycle, iova] : script()) {
    sc_test::run_to((start + cycle) * 1000);
    bench.begin(false, iova, 8);
  }
  sc_test::run_to((start + 20'000) * 1000);
  bench.iommu.statistics().advance(start + 20'000);

  while (plain.driver.advance(start)) {
  }
  start_window(plain.engine, start);
  std::uint64_t cookie = 0;
  for (const auto& [cycle, iova] : script()) {
    while (plain.driver.advance(start + cycle)) {
    }
    translate::Request request = Machine::request(kDevice, iova);
    request.bytes = 8;
    ASSERT_TRUE(plain.driver.offer(request, cookie++));
  }
  while (plain.driver.advance(start + 20'000)) {
  }
  plain.engine.stats().advance(start + 20'000);

  EXPECT_EQ(plain.engine.stats().requests.completed.value() + plain.engine.stats().requests.faulted.value(), 60U);
  EXPECT_GT(plain.engine.stats().iotlb.merged.value(), 0U);
  EXPECT_GT(plain.engine.stats().faults.recorded.value(), 0U);
  EXPECT_EQ(stats::to_text(stats::Snapshot(bench.iommu.statistics())),
            stats::to_text(stats::Snapshot(plain.engine.stats())));
}

TEST(Iommu, OwnAccessesFreeTakeNoTime) {
  const auto walk = [](OwnAccesses own) {
    return sc_test::made_in_child<Picoseconds>([own] {
      IommuParams params;
      params.own_accesses = own;
      IommuBench bench(params);
      const Picoseconds start = now_ps();
      auto& read = bench.begin(false, 0x10000, 8);
      sc_test::run_to(start + 10'000'000);
      EXPECT_EQ(bench.iommu.statistics().memory_port.issued.value(), bench.iommu.own_accesses());
      const Picoseconds took = bench.device.answered(read) - start;
      read.release();
      return took;
    });
  };
  const Picoseconds free = walk(OwnAccesses::kFree);
  const Picoseconds timed = walk(OwnAccesses::kTimed);
  EXPECT_LT(free, (kLatency + 20) * 1000);              // the DMA itself, and look-ups
  EXPECT_GT(timed - free, (6 * kLatency - 10) * 1000);  // three levels of directory and of page table
}

SC_TEST(Iommu, MovesDataToAndFromTheTranslatedPage) {
  IommuBench bench;
  PooledPayload& write = bench.prepare(true, 0x11100, 8);
  std::memcpy(write.buffer(), "iommusim", 8);
  bench.device.send(write);
  sc_test::run_to(12'000'000);
  EXPECT_TRUE(write.is_response_ok());
  char found[9] = {};
  bench.memory.store().read(0x52100, found, 8);
  EXPECT_STREQ(found, "iommusim");
  PooledPayload& read = bench.begin(false, 0x11100, 8);
  sc_test::run_to(14'000'000);
  EXPECT_EQ(std::memcmp(read.buffer(), "iommusim", 8), 0);
  EXPECT_EQ(read.get_address(), 0x11100U) << "the device finds its payload as it sent it";
}

SC_TEST(Iommu, SplitsAtPageBordersAndAnswersOnce) {
  IommuBench bench;
  PooledPayload& write = bench.prepare(true, 0x11ff0, 0x20);
  for (unsigned i = 0; i < 0x20; ++i) write.buffer()[i] = static_cast<std::uint8_t>(i + 1);
  bench.device.send(write);
  sc_test::run_to(12'000'000);
  EXPECT_EQ(bench.iommu.statistics().requests.accepted.value(), 2U);
  EXPECT_EQ(bench.memory.store().load64(0x52ff0), 0x0807060504030201U);
  EXPECT_EQ(bench.memory.store().load64(0x54008), 0x201f1e1d1c1b1a19U);
  EXPECT_TRUE(write.is_response_ok());
  EXPECT_EQ(bench.checker.violations().size(), 0U);
}

SC_TEST(Iommu, AnswersWithTheWorstResponseOfThePieces) {
  IommuBench bench;
  PooledPayload& write = bench.begin(true, 0x13ff0, 0x20);  // the second piece hits the read-only page
  sc_test::run_to(12'000'000);
  EXPECT_EQ(write.get_response_status(), ::tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(write.dma.response, translate::Response::kUnsupportedRequest);
  EXPECT_EQ(bench.iommu.statistics().faults.recorded.value(), 1U);
  EXPECT_EQ(bench.memory.store().load64(bench.tables.fault_address(0)) & 0xfff, 15U);
}

SC_TEST(Iommu, RaisesItsWireUntilSoftwareClearsIt) {
  IommuBench bench;
  bench.begin(false, 0x900000, 8);
  sc_test::run_to(12'000'000);
  ASSERT_EQ(bench.levels.size(), 1U);
  EXPECT_TRUE(bench.levels[0].second);
  bench.write_register(spec::kIpsrOffset, 4, spec::ipsr::kFip.mask());
  ASSERT_EQ(bench.levels.size(), 2U);
  EXPECT_FALSE(bench.levels[1].second);
}

SC_TEST(Iommu, DebugTransportTranslatesWithoutATrace) {
  IommuBench bench;
  bench.memory.store().store64(0x52100, 0x1122334455667788);
  PooledPayload& payload = bench.prepare(false, 0x11100, 8);
  EXPECT_EQ(bench.device.socket->transport_dbg(payload), 8U);
  std::uint64_t word = 0;
  std::memcpy(&word, payload.buffer(), 8);
  EXPECT_EQ(word, 0x1122334455667788U);
  payload.set_address(0x900000);
  EXPECT_EQ(bench.device.socket->transport_dbg(payload), 0U);
  sc_test::run_to(12'000'000);
  EXPECT_EQ(bench.iommu.statistics().requests.accepted.value(), 0U);
  EXPECT_EQ(bench.iommu.statistics().memory_port.issued.value(), 0U);
  EXPECT_EQ(bench.iommu.statistics().faults.reported.value(), 0U);
}

SC_TEST(Iommu, BlockingTransportWaitsInThePipeline) {
  IommuBench bench;
  bench.memory.store().store64(0x52100, 42);
  Picoseconds took = 0;
  std::uint64_t word = 0;
  const Picoseconds start = now_ps();
  sc_core::sc_spawn([&] {
    PooledPayload& payload = bench.prepare(false, 0x11100, 8);
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    bench.device.socket->b_transport(payload, delay);
    took = now_ps() + delay.value() - start;
    EXPECT_TRUE(payload.is_response_ok());
    std::memcpy(&word, payload.buffer(), 8);
    payload.release();
  });
  sc_test::run_to(20'000'000);
  EXPECT_EQ(word, 42U);
  // Directory 3 reads, table 3 reads, the DMA itself; look-ups of 1 + 1 + 1 cycles.
  EXPECT_EQ(took, (3 * kLatency + 3 * kLatency + kLatency + 3) * 1000);
}

SC_TEST(Iommu, HoldsTheBusBackAndLosesNothing) {
  IommuParams params;
  params.engine.slots = 4;
  params.engine.ingress.depth = 2;
  params.dma_outstanding = 3;
  IommuBench bench(params);
  std::vector<PooledPayload*> sent;
  Picoseconds now = now_ps();
  unsigned held_back = 0;
  for (unsigned i = 0; i < 40; ++i) {
    PooledPayload& payload = bench.begin(i % 2 == 0, 0x10000 + (i % 4) * 0x1000 + i * 64, 64);
    sent.push_back(&payload);
    while (bench.device.accepted(payload) == kNever && bench.device.answered(payload) == kNever) {
      sc_test::run_to(now += 1000);
      ++held_back;
    }
  }
  sc_test::run_to(now + 100'000'000);
  for (PooledPayload* payload : sent) {
    EXPECT_NE(bench.device.answered(*payload), kNever);
    EXPECT_TRUE(payload->is_response_ok());
    payload->release();
  }
  EXPECT_GT(held_back, 0U);
  EXPECT_EQ(bench.checker.violations().size(), 0U);
  EXPECT_TRUE(bench.iommu.idle());
  EXPECT_EQ(bench.device.pool.in_use(), 0U);
  bench.iommu.statistics().advance(bench.iommu.cycle());
  stats::check_identities(bench.iommu.statistics());
}

SC_TEST(Iommu, OverflowOfTheCycleCounterRaisesItsWireInItsCycle) {
  IommuParams params;
  params.implementation.hpm = true;
  params.implementation.num_hpm = 1;
  IommuBench bench(params);
  bench.levels.clear();
  bench.write_register(spec::kIohpmcyclesOffset, 8, (1ULL << 63) - 1000);  // in cycle 10,000
  sc_test::run_to(10'999'999);
  EXPECT_TRUE(bench.levels.empty());
  sc_test::run_to(11'000'000);
  ASSERT_EQ(bench.levels.size(), 1U);
  EXPECT_TRUE(bench.levels[0].second);
}

}  // namespace
}  // namespace iommusim::bus
