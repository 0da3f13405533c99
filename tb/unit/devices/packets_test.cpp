// SPDX-License-Identifier: Apache-2.0
// Arrivals, the translation queue and drops of a packet device. The test stands for the ATC behind its socket: it says
// when a DMA has its translation.
#include "devices/packets.h"

#include "unit/tlm/raw_target.h"
#include "unit/tlm/sc_test.h"

namespace iommusim::devices {
namespace {

using sc_test::RawTarget;
using sc_test::run_to;

struct PacketBench {
  explicit PacketBench(const PacketsParams& params) : packets("packets", params, stats), target("target") {
    packets.socket().bind(target.socket);
    packets.start([this] { done = true; });
  }
  std::uint64_t accepted() const { return packets.statistics().accepted.value(); }
  std::uint64_t dropped() const { return packets.statistics().dropped.value(); }
  base::DeviceId device(std::size_t request) const { return bus::dma_of(*target.requests[request].payload).device; }
  /// All three DMAs of the packet have their translation now.
  void translate(std::size_t packet) {
    for (std::size_t i = 3 * packet; i < 3 * packet + 3; ++i)
      packets.translated(bus::dma_of(*target.requests[i].payload));
  }
  void answer_all() {
    for (std::size_t i = 0; i < target.requests.size(); ++i) target.respond(i);
  }

  stats::Group stats{"test"};
  Packets packets;
  RawTarget target;
  bool done = false;
};

PacketsParams few_packets() {
  PacketsParams params;
  params.tenants = 2;
  params.packets_per_tenant = 2;
  params.interval_ps = 1000;
  return params;
}

SC_TEST(Packets, APacketAsksForThreeTranslationsAtOnce) {
  PacketBench bench(few_packets());
  run_to(0);
  ASSERT_EQ(bench.target.requests.size(), 3U);
  EXPECT_EQ(bench.target.requests[0].address, 0x4000'0000U);
  EXPECT_FALSE(bench.target.requests[0].write);
  EXPECT_EQ(bench.target.requests[1].bytes, 1542U);
  EXPECT_TRUE(bench.target.requests[2].write);
}

SC_TEST(Packets, IntervalPs) {
  PacketsParams params = few_packets();
  params.translation_queue = 4;
  PacketBench bench(params);
  run_to(999);
  EXPECT_EQ(bench.accepted(), 1U);
  run_to(1000);
  EXPECT_EQ(bench.accepted(), 2U);
  EXPECT_EQ(bench.device(3).value, bench.packets.first_function().value + 1) << "the other tenant's function";
}

SC_TEST(Packets, TranslationQueueHasNoPlaceUntilTheLastTranslation) {
  PacketBench bench(few_packets());
  run_to(1500);
  EXPECT_EQ(bench.accepted(), 1U);
  bench.packets.translated(bus::dma_of(*bench.target.requests[0].payload));
  bench.packets.translated(bus::dma_of(*bench.target.requests[1].payload));
  run_to(2500);
  EXPECT_EQ(bench.accepted(), 1U);
  bench.packets.translated(bus::dma_of(*bench.target.requests[2].payload));
  EXPECT_EQ(bench.dropped(), 2U) << "arrivals at 1000 and 2000 ps";
  run_to(2999);
  EXPECT_EQ(bench.accepted(), 1U);
  run_to(3000);
  EXPECT_EQ(bench.accepted(), 2U);
}

SC_TEST(Packets, TranslationQueueOfTwo) {
  PacketsParams params = few_packets();
  params.translation_queue = 2;
  PacketBench bench(params);
  run_to(2500);
  EXPECT_EQ(bench.accepted(), 2U);
  bench.translate(1);
  EXPECT_EQ(bench.dropped(), 1U);
  run_to(3000);
  EXPECT_EQ(bench.accepted(), 3U) << "the first still waits";
}

/// The tenant of the packet that comes after one drop.
std::uint32_t tenant_after_a_drop(AfterDrop dropped) {
  PacketsParams params = few_packets();
  params.dropped = dropped;
  PacketBench bench(params);
  run_to(1500);
  bench.translate(0);
  run_to(2000);
  return bench.device(3).value - bench.packets.first_function().value;
}

SC_TEST(Packets, DroppedAgain) { EXPECT_EQ(tenant_after_a_drop(AfterDrop::kAgain), 1U); }
SC_TEST(Packets, DroppedNext) { EXPECT_EQ(tenant_after_a_drop(AfterDrop::kNext), 0U); }

SC_TEST(Packets, PacketsPerTenantEndTheRun) {
  PacketsParams params = few_packets();
  params.packets_per_tenant = 1;
  params.translation_queue = 2;
  PacketBench bench(params);
  run_to(10'000);
  EXPECT_EQ(bench.accepted(), 2U);
  bench.translate(0);
  bench.translate(1);
  EXPECT_FALSE(bench.done);
  bench.answer_all();
  run_to(20'000);
  EXPECT_TRUE(bench.done);
  EXPECT_EQ(bench.dropped(), 0U) << "nothing arrives after the last packet";
  bench.stats.advance(bus::now_ps());
  stats::check_identities(bench.stats);
}

SC_TEST(Packets, SlotsOfAnAreaFollowOneAnother) {
  PacketsParams params = few_packets();
  params.tenants = 1;
  params.packets_per_tenant = 3;
  params.translation_queue = 3;
  params.data.bytes = 4096;
  params.data.page_bytes = 4096;
  PacketBench bench(params);
  run_to(2000);
  ASSERT_EQ(bench.target.requests.size(), 9U);
  EXPECT_EQ(bench.target.requests[4].address, params.data.iova + 2048);
  EXPECT_EQ(bench.target.requests[7].address, params.data.iova);
  EXPECT_EQ(bench.target.requests[6].address, params.ring.iova + 32);
}

}  // namespace
}  // namespace iommusim::devices
