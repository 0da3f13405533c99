// SPDX-License-Identifier: Apache-2.0
#include "devices/nic.h"

#include "unit/devices/device_bench.h"

namespace iommusim::devices {
namespace {

namespace nic_regs = device_hw::nic;

struct NicBench : device_bench::Bench<Nic, NicParams> {
  static constexpr std::uint64_t kRing = 0x10000, kBuffers = 0x100000;

  explicit NicBench(const NicParams& params, std::uint32_t ring = nic_regs::kReceive)
      : Bench(params), ring_(nic_regs::kFirstQueue + ring) {
    sc_test::run_to(1000);
    registers.write(ring_ + nic_regs::kRingBase, kRing, 8);
    registers.write(ring_ + nic_regs::kRingEntries, 64);
    registers.write(ring_ + nic_regs::kRingControl, 1);
    mark();
  }
  /// Descriptors of 2 KiB each, and the tail behind them.
  void post(std::uint32_t count, std::uint32_t length = 2048, std::uint32_t flags = 0) {
    for (std::uint32_t i = 0; i < count; ++i, ++posted_) {
      put(kRing + posted_ * 16, kBuffers + posted_ * 2048);
      put(kRing + posted_ * 16 + 8, nic_regs::second_word({0, length, flags, 0}));
    }
    registers.write(ring_ + nic_regs::kRingTail, posted_);
  }
  nic_regs::Descriptor descriptor(std::uint64_t index) {
    return nic_regs::descriptor_of(get<std::uint64_t>(kRing + index * 16), get<std::uint64_t>(kRing + index * 16 + 8));
  }
  void start() { registers.write(nic_regs::kControl, 1); }
  std::uint64_t issued() const { return device.master().statistics().issued.value(); }
  std::uint32_t status() { return static_cast<std::uint32_t>(registers.read(ring_ + nic_regs::kRingStatus)); }

 private:
  std::uint32_t ring_;
  std::uint64_t posted_ = 0;
};

SC_TEST(Nic, DoorbellNs) {
  NicParams params;
  params.doorbell_ns = 70;
  NicBench bench(params);
  bench.post(4);
  bench.run_to(69'999);
  EXPECT_EQ(bench.issued(), 0U);
  bench.run_to(70'000);
  EXPECT_EQ(bench.issued(), 1U);
}

SC_TEST(Nic, RegisterNs) {
  NicParams params;
  params.register_ns = 33;
  params.queues = 5;
  NicBench bench(params);
  EXPECT_EQ(bench.registers.read(nic_regs::kQueues), 5U);
  EXPECT_EQ(bench.registers.took, 33'000U);
  bench.registers.write(nic_regs::kControl, 0);
  EXPECT_EQ(bench.registers.took, 0U);
  bench.registers.read(nic_regs::kControl, 2);
  EXPECT_FALSE(bench.registers.ok);
}

SC_TEST(Nic, ReceivesIntoBuffersAndWritesBack) {
  NicParams params;
  params.receive_packets = 3;
  params.packet_bytes = 3000;
  NicBench bench(params);
  bench.post(6);
  bench.start();
  sc_test::run_out();
  for (std::uint64_t packet = 0; packet < 3; ++packet) {
    EXPECT_EQ(bench.descriptor(2 * packet).status, nic_regs::kDone);
    EXPECT_EQ(bench.descriptor(2 * packet).length, 2048U);
    EXPECT_EQ(bench.descriptor(2 * packet + 1).status, nic_regs::kDone | nic_regs::kEnd);
    EXPECT_EQ(bench.descriptor(2 * packet + 1).length, 952U);
    std::vector<std::uint8_t> data(3000);
    bench.memory.store().read(NicBench::kBuffers + packet * 4096, data.data(), data.size());
    EXPECT_EQ(packet_number(data.data()), packet + 1);
    EXPECT_TRUE(packet_is_whole(0, data.data(), data.size()));
    data[2999] ^= 1;
    EXPECT_FALSE(packet_is_whole(0, data.data(), data.size()));
  }
  EXPECT_TRUE(bench.device.idle());
}

SC_TEST(Nic, FetchBatch) {
  NicParams params;
  params.fetch_batch = 3;
  params.receive_packets = 0;
  NicBench bench(params);
  bench.post(8);
  sc_test::run_out();
  EXPECT_EQ(bench.device.statistics().receive.fetches.value(), 1U) << "three are there, none is used";
  EXPECT_EQ(bench.device.statistics().receive.descriptors.value(), 3U);
}

SC_TEST(Nic, APacketMayTakeMoreDescriptorsThanFetchBatch) {
  NicParams params;
  params.fetch_batch = 1;
  params.receive_packets = 2;
  params.packet_bytes = 5000;
  NicBench bench(params);
  bench.post(6);
  bench.start();
  sc_test::run_out();
  for (std::uint64_t i = 0; i < 6; ++i) EXPECT_EQ(bench.descriptor(i).status & nic_regs::kDone, nic_regs::kDone);
}

SC_TEST(Nic, RateGbpsAndOverheadBytes) {
  NicParams params;
  params.rate_gbps = 100;  // 80 ps a byte
  params.packet_bytes = 1000;
  params.overhead_bytes = 24;
  params.receive_packets = 2;
  NicBench bench(params);
  bench.post(4);
  bench.start();
  bench.run_to(81'919);
  EXPECT_EQ(bench.device.statistics().arrived.value(), 0U);
  bench.run_to(81'920);
  EXPECT_EQ(bench.device.statistics().arrived.value(), 1U);
  bench.run_to(163'839);
  EXPECT_EQ(bench.device.statistics().arrived.value(), 1U);
  bench.run_to(163'840);
  EXPECT_EQ(bench.device.statistics().arrived.value(), 2U);
  sc_test::run_out();
}

SC_TEST(Nic, FifoPackets) {
  NicParams params;
  params.rate_gbps = 100;
  params.fifo_packets = 3;
  params.receive_packets = 10;
  NicBench bench(params);
  bench.start();
  sc_test::run_out();  // nothing is posted
  EXPECT_EQ(bench.device.statistics().dropped.value(), 7U);
  EXPECT_EQ(bench.device.lost(0), 7U);
  bench.post(10);
  sc_test::run_out();
  EXPECT_EQ(bench.device.statistics().receive.packets.value(), 3U);
}

SC_TEST(Nic, WindowPackets) {
  NicParams params;
  params.window_packets = 2;
  params.receive_packets = 6;
  params.fetch_batch = 8;
  NicBench bench(params);
  bench.post(8);
  bench.start();
  sc_test::run_out();
  EXPECT_EQ(bench.device.statistics().waiting.data().max(), 2U);
  EXPECT_EQ(bench.device.statistics().receive.packets.value(), 6U);
}

SC_TEST(Nic, InterruptNs) {
  NicParams params;
  params.receive_packets = 2;
  params.interrupt_ns = 50'000;
  NicBench bench(params);
  const std::uint32_t enable = nic_regs::kFirstQueue + nic_regs::kInterruptEnable;
  bench.registers.write(enable, 1);
  bench.start();
  bench.post(1);
  bench.run_to(5'000'000);
  ASSERT_EQ(bench.interrupts.raised.size(), 1U);
  const bus::Picoseconds first = bench.interrupts.raised[0].second;
  bench.post(1);
  bench.run_to(10'000'000);
  EXPECT_EQ(bench.device.statistics().receive.packets.value(), 2U);
  bench.registers.write(enable, 1);  // asked for after the write-back: not missed
  sc_test::run_to(first + 50'000'000 - 1);
  EXPECT_EQ(bench.interrupts.raised.size(), 1U);
  sc_test::run_to(first + 50'000'000);
  EXPECT_EQ(bench.interrupts.raised.size(), 2U);
  sc_test::run_out();
}

SC_TEST(Nic, SendsWhatItReadsAndLooksAtIt) {
  NicParams params;
  params.receive_packets = 0;
  NicBench bench(params, nic_regs::kTransmit);
  std::vector<std::uint8_t> data(1500);
  for (std::uint64_t packet = 1; packet <= 3; ++packet) {
    fill_packet(0, packet, 0, data.data(), data.size());
    if (packet == 2) data[700] ^= 0x10;
    bench.memory.store().write(NicBench::kBuffers + (packet - 1) * 2048, data.data(), data.size());
  }
  bench.post(3, 1500, nic_regs::kEndOfPacket);
  sc_test::run_out();
  EXPECT_EQ(bench.device.statistics().transmit.packets.value(), 3U);
  EXPECT_EQ(bench.device.statistics().mismatched.value(), 1U);
  EXPECT_EQ(bench.descriptor(2).status, nic_regs::kDone | nic_regs::kEnd);
}

SC_TEST(Nic, WhatIsOutOfReachFailsThePacketOrStopsTheRing) {
  NicParams params;
  params.receive_packets = 1;
  NicBench bench(params);
  bench.put(NicBench::kRing, std::uint64_t{1} << 40);  // no memory there
  bench.put(NicBench::kRing + 8, nic_regs::second_word({0, 2048, 0, 0}));
  bench.start();
  bench.registers.write(nic_regs::kFirstQueue + nic_regs::kRingTail, 1);
  sc_test::run_out();
  EXPECT_EQ(bench.descriptor(0).status, nic_regs::kDone | nic_regs::kEnd | nic_regs::kFailed);
  EXPECT_EQ(bench.device.statistics().receive.failed.value(), 1U);
  EXPECT_EQ(bench.status(), 0U);
  bench.registers.write(nic_regs::kFirstQueue + nic_regs::kRingTail, 64);  // not an entry
  sc_test::run_out();
  EXPECT_EQ(bench.status(), nic_regs::kStatusError);
  EXPECT_EQ(bench.device.statistics().receive.ring_errors.value(), 1U);
}

}  // namespace
}  // namespace iommusim::devices
