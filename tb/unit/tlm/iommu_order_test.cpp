// SPDX-License-Identifier: Apache-2.0
// What a device may rely on (PCIe 2.4.1), under any micro-architecture: who sees its flag sees the data written before
// it, and what it reads is what it wrote.
#include "iommu_bench.h"
#include "random_params.h"
#include "tlm/fabric.h"

namespace iommusim::bus {
namespace {

using namespace iommu_bench;

/// Sees every access of devices in the order in which memory performs them.
class Spy final : public FaultInjector {
 public:
  Injected inspect(unsigned port, const Payload& payload) override {
    if (port != 0) return {};
    std::uint64_t value = 0;
    std::memcpy(&value, payload.get_data_ptr(), 8);
    seen.push_back({payload.get_address(), payload.is_write(), value});
    return {};
  }
  struct Seen {
    std::uint64_t address;
    bool write;
    std::uint64_t value;
  };
  std::vector<Seen> seen;
};

struct Found {
  unsigned flags = 0;
  unsigned broken_flags = 0;
  unsigned stale_reads = 0;
};

/// Rounds of: data to a random page, a flag to another, and a read of the data; all at once, through a PCIe link.
Found run(DmaOrder order, std::uint64_t seed) {
  base::Random random(seed);
  std::vector<std::uint8_t> bytes(200);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random.below(256));
  timing::test::Choices choices(bytes.data(), bytes.size());
  IommuParams params;
  params.engine = timing::test::random_engine(choices);
  params.engine.clock_mhz = 1000;
  params.dma_order = order;
  IommuBench bench(params, true);
  stats::Group stats("bus");
  Fabric::Shape shape;
  shape.links = {{"link", Fabric::kHostBridge, {}, {}}};
  shape.links[0].params.pcie.tags = 1 + static_cast<std::uint32_t>(random.below(8));
  shape.links[0].params.pcie.queue_depth = 1000;
  shape.ports = {{"port", 0}};
  Fabric fabric("fabric", shape, stats);
  bench.device.socket.bind(fabric.port(0));
  fabric.to_iommu().bind(bench.checker.from_initiator);
  bench.checker.to_target.bind(bench.iommu.dma(0));
  Spy spy;
  bench.memory.inject(&spy);
  bench.bring_up();

  constexpr std::uint64_t kRounds = 60;
  const auto page = [&] { return 0x10000 + random.below(4) * 0x1000 + (random.below(2) * 6) * 0x1000; };
  struct Round {
    std::uint64_t data, flag;
    PooledPayload* read;
  };
  std::vector<Round> rounds;
  for (std::uint64_t i = 0; i < kRounds; ++i) {
    const std::uint64_t data = page() + 8 * i;
    const std::uint64_t flag = page() + 2048 + 8 * i;
    for (const std::uint64_t at : {data, flag}) {
      PooledPayload& write = bench.prepare(true, at, 8);
      const std::uint64_t value = i + 1;
      std::memcpy(write.buffer(), &value, 8);
      bench.device.send(write);
    }
    rounds.push_back({data, flag, &bench.begin(false, data, 8)});
  }
  sc_test::run_to(2'000'000'000);

  Found found;
  std::vector<bool> has_data(kRounds + 1);
  for (const Spy::Seen& access : spy.seen) {
    if (!access.write) continue;
    const bool is_flag = access.address % 0x1000 >= 2048;
    if (!is_flag) has_data[access.value] = true;
    found.flags += is_flag;
    found.broken_flags += is_flag && !has_data[access.value];
  }
  for (std::uint64_t i = 0; i < kRounds; ++i) {
    std::uint64_t value = 0;
    std::memcpy(&value, rounds[i].read->buffer(), 8);
    EXPECT_NE(bench.device.answered(*rounds[i].read), kNever);
    found.stale_reads += value != i + 1;
  }
  return found;
}

TEST(IommuOrder, DmaOrderKeepsFlagsBehindTheirDataUnderAnyMicroArchitecture) {
  unsigned broken_when_relaxed = 0;
  for (std::uint64_t seed = 1; seed <= 24; ++seed) {
    const DmaOrder order = seed % 2 == 0 ? DmaOrder::kPort : DmaOrder::kFunction;
    const auto strict = sc_test::made_in_child<Found>([&] { return run(order, seed); });
    EXPECT_EQ(strict.flags, 60U) << "seed " << seed;
    EXPECT_EQ(strict.broken_flags, 0U) << "seed " << seed;
    EXPECT_EQ(strict.stale_reads, 0U) << "seed " << seed;
    const auto relaxed = sc_test::made_in_child<Found>([&] { return run(DmaOrder::kRelaxed, seed); });
    broken_when_relaxed += relaxed.broken_flags + relaxed.stale_reads;
  }
  EXPECT_GT(broken_when_relaxed, 0U) << "or else the test sees nothing";
}

/// A write that misses, then one that hits.
Picoseconds later_write_done(DmaOrder order) {
  IommuParams params;
  params.dma_order = order;
  IommuBench bench(params);
  bench.begin(false, 0x11000, 8);
  sc_test::run_to(20'000'000);
  bench.begin(true, 0x12000, 8);
  PooledPayload& hit = bench.begin(true, 0x11008, 8);
  sc_test::run_to(30'000'000);
  EXPECT_EQ(bench.iommu.order().held(), order == DmaOrder::kRelaxed ? 0U : 1U);
  return bench.device.answered(hit);
}

TEST(IommuOrder, DmaOrderMakesAHitWaitForTheMissBeforeIt) {
  const auto relaxed = sc_test::made_in_child<Picoseconds>([] { return later_write_done(DmaOrder::kRelaxed); });
  const auto strict = sc_test::made_in_child<Picoseconds>([] { return later_write_done(DmaOrder::kPort); });
  EXPECT_GE(strict, relaxed + kLatency * 1000) << "one read of the walk at least";
}

}  // namespace
}  // namespace iommusim::bus
