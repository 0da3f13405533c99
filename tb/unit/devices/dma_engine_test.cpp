// SPDX-License-Identifier: Apache-2.0
#include "devices/dma_engine.h"

#include "devices/pattern.h"
#include "unit/devices/device_bench.h"

namespace iommusim::devices {
namespace {

namespace engine_hw = device_hw::dma_engine;
using engine_hw::channel_register;
using engine_hw::Descriptor;

struct DmaEngineBench : device_bench::Bench<DmaEngine, DmaEngineParams> {
  static constexpr std::uint64_t kRing = 0x10000, kFrom = 0x100000, kTo = 0x200000;
  explicit DmaEngineBench(const DmaEngineParams& params = {}) : Bench(params) {
    sc_test::run_to(1000);
    for (std::uint32_t channel = 0; channel < 2; ++channel) enable(channel);
    std::vector<std::uint8_t> bytes(1 << 16);
    fill_pattern(7, 0, bytes.data(), bytes.size());
    memory.store().write(kFrom, bytes.data(), bytes.size());
  }
  /// Eight entries.
  void enable(std::uint32_t channel, std::uint32_t control = engine_hw::kEnable) {
    registers.write(channel_register(channel, engine_hw::kRingBase), kRing + channel * 0x1000, 8);
    registers.write(channel_register(channel, engine_hw::kRingEntries), 8);
    registers.write(channel_register(channel, engine_hw::kControl), control);
  }
  void submit(std::uint32_t operation, std::uint32_t bytes, std::uint64_t source, std::uint64_t destination,
              std::uint32_t channel = 0) {
    put(kRing + channel * 0x1000 + tail[channel] * 32, Descriptor{operation, bytes, source, destination, 0, 0});
    tail[channel] = (tail[channel] + 1) % 8;
    registers.write(channel_register(channel, engine_hw::kTail), tail[channel]);
  }
  Descriptor descriptor(std::uint32_t index, std::uint32_t channel = 0) {
    return get<Descriptor>(kRing + channel * 0x1000 + index * 32);
  }
  std::uint32_t read(std::uint32_t offset, std::uint32_t channel = 0) {
    return static_cast<std::uint32_t>(registers.read(channel_register(channel, offset)));
  }
  bool same(std::uint64_t from, std::uint64_t to, std::size_t bytes) {
    std::vector<std::uint8_t> a(bytes), b(bytes);
    memory.store().read(from, a.data(), bytes);
    memory.store().read(to, b.data(), bytes);
    return a == b;
  }
  std::uint32_t tail[2] = {};
};

SC_TEST(DmaEngine, SaysWhatItIs) {
  DmaEngineBench bench;
  EXPECT_EQ(bench.registers.read(engine_hw::kIdentity, 8), std::uint64_t{4} << 32 | engine_hw::kIdentityValue);
}

SC_TEST(DmaEngine, CopiesAnyLengthAndAlignment) {
  DmaEngineBench bench;
  bench.submit(engine_hw::kCopy | engine_hw::kInterrupt, 20'001, DmaEngineBench::kFrom + 3, DmaEngineBench::kTo + 5);
  sc_test::run_out();
  EXPECT_TRUE(bench.same(DmaEngineBench::kFrom + 3, DmaEngineBench::kTo + 5, 20'001));
  EXPECT_EQ(bench.get<std::uint8_t>(DmaEngineBench::kTo + 4), 0);
  EXPECT_EQ(bench.get<std::uint8_t>(DmaEngineBench::kTo + 5 + 20'001), 0);
  EXPECT_EQ(bench.descriptor(0).outcome, engine_hw::kDone);
  EXPECT_EQ(bench.descriptor(0).count, 1U);
  EXPECT_EQ(bench.read(engine_hw::kHead), 1U);
  EXPECT_EQ(bench.read(engine_hw::kStatus), 0U);
  ASSERT_EQ(bench.interrupts.raised.size(), 1U);
  EXPECT_EQ(bench.interrupts.raised[0].first, 0U);
}

SC_TEST(DmaEngine, FillsWithItsEightBytesFromTheFirstByteOn) {
  DmaEngineBench bench;
  bench.submit(engine_hw::kFill, 5000, 0x0807060504030201, DmaEngineBench::kTo + 1);
  sc_test::run_out();
  for (std::uint64_t i = 0; i < 5000; i += 777)
    EXPECT_EQ(bench.get<std::uint8_t>(DmaEngineBench::kTo + 1 + i), i % 8 + 1);
  EXPECT_EQ(bench.get<std::uint8_t>(DmaEngineBench::kTo + 5001), 0);
  EXPECT_TRUE(bench.interrupts.raised.empty()) << "it did not ask for one";
}

SC_TEST(DmaEngine, GoesRoundItsRingInOrder) {
  DmaEngineBench bench;
  for (std::uint32_t i = 0; i < 20; ++i) {
    bench.submit(engine_hw::kFill, 8, i, DmaEngineBench::kTo);
    if (i % 5 == 4) {
      sc_test::run_out();
      EXPECT_EQ(bench.get<std::uint64_t>(DmaEngineBench::kTo), i);
    }
  }
  EXPECT_EQ(bench.read(engine_hw::kHead), 4U);
  EXPECT_EQ(bench.descriptor(3).count, 20U);
  EXPECT_EQ(bench.device.statistics().fills.value(), 20U);
}

SC_TEST(DmaEngine, ErrorsEndADescriptorAndNotTheChannel) {
  DmaEngineBench bench;
  bench.submit(engine_hw::kCopy, 8192, 1ULL << 40, DmaEngineBench::kTo);
  bench.submit(engine_hw::kCopy, 8192, DmaEngineBench::kFrom, 1ULL << 40);
  bench.submit(2, 8192, DmaEngineBench::kFrom, DmaEngineBench::kTo);
  bench.submit(engine_hw::kCopy, 0, DmaEngineBench::kFrom, DmaEngineBench::kTo);
  bench.submit(engine_hw::kCopy, 64, DmaEngineBench::kFrom, DmaEngineBench::kTo);
  sc_test::run_out();
  EXPECT_EQ(bench.descriptor(0).outcome, engine_hw::kSourceFailed);
  EXPECT_EQ(bench.descriptor(1).outcome, engine_hw::kDestinationFailed);
  EXPECT_EQ(bench.descriptor(2).outcome, engine_hw::kInvalid);
  EXPECT_EQ(bench.descriptor(3).outcome, engine_hw::kInvalid);
  EXPECT_EQ(bench.descriptor(4).outcome, engine_hw::kDone);
  EXPECT_EQ(bench.device.statistics().failed.value(), 4U);
}

SC_TEST(DmaEngine, ARingOutOfReachBreaksItsChannelAndNoOther) {
  DmaEngineBench bench;
  bench.registers.write(channel_register(0, engine_hw::kControl), 0);
  bench.registers.write(channel_register(0, engine_hw::kRingBase), 1ULL << 40, 8);
  bench.registers.write(channel_register(0, engine_hw::kControl), engine_hw::kEnable);
  bench.registers.write(channel_register(0, engine_hw::kTail), 1);
  bench.submit(engine_hw::kFill, 8, 42, DmaEngineBench::kTo, 1);
  sc_test::run_out();
  EXPECT_EQ(bench.read(engine_hw::kStatus), engine_hw::kBroken);
  EXPECT_EQ(bench.get<std::uint64_t>(DmaEngineBench::kTo), 42U);
  bench.registers.write(channel_register(0, engine_hw::kControl), 0);
  EXPECT_EQ(bench.read(engine_hw::kStatus), 0U);
}

SC_TEST(DmaEngine, DoorbellNs) {
  DmaEngineParams params;
  params.doorbell_ns = 90;
  DmaEngineBench bench(params);
  bench.mark();
  bench.submit(engine_hw::kFill, 8, 1, DmaEngineBench::kTo);
  bench.run_to(89'999);
  EXPECT_EQ(bench.device.master().statistics().issued.value(), 0U);
  bench.run_to(90'000);
  EXPECT_EQ(bench.device.master().statistics().issued.value(), 1U);
  sc_test::run_out();
}

SC_TEST(DmaEngine, RegisterNs) {
  DmaEngineParams params;
  params.register_ns = 41;
  DmaEngineBench bench(params);
  (void)bench.read(engine_hw::kHead);
  EXPECT_EQ(bench.registers.took, 41'000U);
}

SC_TEST(DmaEngine, FetchBatch) {
  DmaEngineParams params;
  params.fetch_batch = 3;
  DmaEngineBench bench(params);
  for (std::uint32_t i = 0; i < 7; ++i) bench.submit(engine_hw::kFill, 8, i, DmaEngineBench::kTo);
  sc_test::run_out();
  EXPECT_EQ(bench.device.statistics().fetches.value(), 3U) << "3, 3, 1";
}

SC_TEST(DmaEngine, ChunksAndChunkBytes) {
  DmaEngineParams params;
  params.chunks = 2;
  params.chunk_bytes = 512;
  DmaEngineBench bench(params);
  bench.submit(engine_hw::kCopy, 8192, DmaEngineBench::kFrom, DmaEngineBench::kTo);
  std::uint64_t most = 0;
  for (int i = 0; i < 20'000 && bench.device.statistics().copies.value() == 0; ++i) {
    sc_test::run_to(bus::now_ps() + 1000);
    most = std::max<std::uint64_t>(most, bench.device.master().in_flight());
  }
  EXPECT_EQ(most, 2U);
  EXPECT_TRUE(bench.same(DmaEngineBench::kFrom, DmaEngineBench::kTo, 8192));
  EXPECT_EQ(bench.device.master().statistics().issued.value(), 1 + 2 * 16 + 1U);
}

SC_TEST(DmaEngine, AChannelSwitchedOffForgetsWhatItDid) {
  DmaEngineBench bench;
  bench.submit(engine_hw::kCopy, 65536, DmaEngineBench::kFrom, DmaEngineBench::kTo);
  while (bench.device.master().statistics().completed.value() < 4) sc_test::run_to(bus::now_ps() + 1000);
  bench.registers.write(channel_register(0, engine_hw::kControl), 0);
  EXPECT_EQ(bench.read(engine_hw::kHead), 0U);
  sc_test::run_out();
  EXPECT_TRUE(bench.device.idle());
  EXPECT_EQ(bench.descriptor(0).outcome, engine_hw::kPending);
  bench.tail[0] = 0;
  bench.enable(0);
  bench.submit(engine_hw::kFill, 8, 5, DmaEngineBench::kTo);
  sc_test::run_out();
  EXPECT_EQ(bench.descriptor(0).outcome, engine_hw::kDone);
}

SC_TEST(DmaEngine, WithoutBusMasteringItWaits) {
  DmaEngineBench bench;
  bench.device.set_bus_master(false);
  bench.submit(engine_hw::kFill, 8, 5, DmaEngineBench::kTo);
  sc_test::run_to(bus::now_ps() + 10'000'000);
  EXPECT_EQ(bench.device.master().statistics().issued.value(), 0U);
  bench.device.set_bus_master(true);
  sc_test::run_out();
  EXPECT_EQ(bench.descriptor(0).outcome, engine_hw::kDone);
}

}  // namespace
}  // namespace iommusim::devices
