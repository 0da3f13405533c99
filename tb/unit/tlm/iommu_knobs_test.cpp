// SPDX-License-Identifier: Apache-2.0
// Knobs that show at the sockets of the module, each to the cycle: a test is named after its parameter and compares a
// machine that has it with one that has not.
#include "iommu_bench.h"

namespace iommusim::bus {
namespace {

using namespace iommu_bench;

/// How long the body takes on a machine of its own, from the moment at which all is set up.
template <class Body>
Picoseconds time_of(const IommuParams& params, Body&& body) {
  return sc_test::made_in_child<Picoseconds>([&] {
    IommuBench bench(params);
    auto& warm = bench.begin(false, 0x10ff8, 16);  // two pages
    sc_test::run_to(now_ps() + 10'000'000);
    EXPECT_TRUE(warm.is_response_ok());
    return body(bench);
  });
}
Picoseconds time_of_read(IommuBench& bench, std::uint64_t iova, std::uint32_t bytes) {
  const Picoseconds start = now_ps();
  auto& read = bench.begin(false, iova, bytes);
  sc_test::run_to(start + 10'000'000);
  return bench.device.answered(read) - start;
}
Picoseconds hit_on_two_pages(IommuBench& bench) { return time_of_read(bench, 0x10ff8, 16); }
Picoseconds miss(IommuBench& bench) { return time_of_read(bench, 0x12000, 8); }

TEST(IommuKnobs, SharedPortCyclesSpacesDmaAndOwnAccesses) {
  IommuParams params;
  const Picoseconds hits = time_of(params, hit_on_two_pages), walk = time_of(params, miss);
  params.shared_port_cycles = 20;
  EXPECT_EQ(time_of(params, hit_on_two_pages), hits + 19'000) << "the second piece came one cycle after the first";
  EXPECT_EQ(time_of(params, miss), walk) << "what comes alone waits for nobody";
}

/// Four reads of walks and six hits want the port at once: it is theirs by turns, then that of the hits alone.
TEST(IommuKnobs, SharedPortCyclesAlternateUnderLoad) {
  IommuParams params;
  params.shared_port_cycles = 20;
  const auto apart = [](IommuBench& bench) {
    const auto begin = [&](std::uint64_t page) {
      PooledPayload* const read = &bench.begin(false, 0x10000 + page * 0x1000, 8);
      sc_test::run_to(now_ps() + 1000);
      return read;
    };
    for (const std::uint64_t page : {2, 3, 5, 6}) begin(page);
    PooledPayload* hits[6];
    for (auto& hit : hits) hit = begin(0);
    sc_test::run_to(now_ps() + 10'000'000);
    for (std::size_t i = 1; i < 6; ++i)
      EXPECT_EQ(bench.device.answered(*hits[i]) - bench.device.answered(*hits[i - 1]), i < 4 ? 40'000U : 20'000U) << i;
    return Picoseconds{0};
  };
  time_of(params, apart);
}

TEST(IommuKnobs, DmaOutstandingHoldsTheNextPieceUntilAnAnswer) {
  IommuParams params;
  params.dma_outstanding = 2;
  const Picoseconds together = time_of(params, hit_on_two_pages);
  params.dma_outstanding = 256;
  EXPECT_EQ(time_of(params, hit_on_two_pages), together);
  params.dma_outstanding = 1;
  EXPECT_GE(time_of(params, hit_on_two_pages), together + kLatency * 1000);
}

TEST(IommuKnobs, AccessCyclesAndClockMhzGiveTheTimeOfARegisterAccess) {
  const auto access = [](IommuBench& bench) {
    const Picoseconds start = now_ps();
    auto& read = bench.cpu.begin(false, spec::kDdtpOffset, 8);
    sc_test::run_to(start + 1'000'000);
    return bench.cpu.answered(read) - start;
  };
  IommuParams params;
  params.engine.registers.access_cycles = 4;
  EXPECT_EQ(time_of(params, access), 4'000U);
  params.engine.registers.access_cycles = 9;
  EXPECT_EQ(time_of(params, access), 9'000U);
  params.engine.clock_mhz = 500;
  EXPECT_EQ(time_of(params, access), 18'000U);
}

/// A device that is told of no room gets an error, and the IOMMU counts it.
TEST(IommuKnobs, WhenFullDropAnswersTheDevice) {
  IommuParams params;
  params.engine.slots = 1;
  params.engine.ingress.depth = 1;
  params.engine.ingress.when_full = timing::WhenFull::kDrop;
  const auto dropped = [](IommuBench& bench) {
    auto& both = bench.begin(false, 0x12ff8, 16);  // two pieces, room for one
    sc_test::run_to(now_ps() + 10'000'000);
    EXPECT_FALSE(both.is_response_ok());
    EXPECT_EQ(both.dma.response, translate::Response::kCompleterAbort);
    bench.iommu.statistics().advance(bench.iommu.cycle());
    stats::check_identities(bench.iommu.statistics());
    return Picoseconds{bench.iommu.statistics().requests.dropped.value()};
  };
  EXPECT_EQ(sc_test::made_in_child<Picoseconds>([&] {
              IommuBench bench(params);
              return dropped(bench);
            }),
            1U);
}

/// A write that waits for room holds what is behind it on its port, and is served in the end.
TEST(IommuKnobs, WriteBufferBytesHoldsAWriteBack) {
  IommuParams params;
  const auto write = [](IommuBench& bench) {
    const Picoseconds start = now_ps();
    auto& both = bench.begin(true, 0x12ff8, 16);  // two pages that miss
    sc_test::run_to(start + 10'000'000);
    EXPECT_TRUE(both.is_response_ok());
    return bench.device.answered(both) - start;
  };
  const Picoseconds together = time_of(params, write);
  params.engine.ingress.write_buffer_bytes = 16;
  EXPECT_EQ(time_of(params, write), together);
  params.engine.ingress.write_buffer_bytes = 15;
  EXPECT_GT(time_of(params, write), together + kLatency * 1000) << "the second walk begins behind the first";
}

}  // namespace
}  // namespace iommusim::bus
