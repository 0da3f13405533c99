// SPDX-License-Identifier: Apache-2.0
#include "devices/pci_test.h"

#include "devices/pattern.h"

#include "unit/devices/device_bench.h"

namespace iommusim::devices {
namespace {

namespace test_hw = device_hw::pci_test;

struct PciTestBench : device_bench::Bench<PciTest, PciTestParams> {
  static constexpr std::uint64_t kFrom = 0x100000, kTo = 0x200000;
  explicit PciTestBench(const PciTestParams& params = {}) : Bench(params) {
    sc_test::run_to(1000);
    std::vector<std::uint8_t> bytes(4096);
    fill_pattern(7, 0, bytes.data(), bytes.size());
    memory.store().write(kFrom, bytes.data(), bytes.size());
  }
  void begin(std::uint64_t iova, std::uint32_t command) {
    registers.write(test_hw::kAddress, iova & 0xffffffff);
    registers.write(test_hw::kAddress + 4, iova >> 32);
    registers.write(test_hw::kCommand, command | test_hw::kStart);
  }
  bool same() {
    std::vector<std::uint8_t> from(4096), to(4096);
    memory.store().read(kFrom, from.data(), 4096);
    memory.store().read(kTo, to.data(), 4096);
    return from == to;
  }
};

SC_TEST(PciTest, MovesAPageIntoTheDeviceAndOutAgain) {
  PciTestBench bench;
  bench.begin(PciTestBench::kFrom, test_hw::kFromMemory);
  EXPECT_EQ(bench.registers.read(test_hw::kCommand), test_hw::kStart | test_hw::kFromMemory);
  EXPECT_EQ(bench.registers.read(test_hw::kAddress, 8), PciTestBench::kFrom);
  sc_test::run_out();
  EXPECT_EQ(bench.registers.read(test_hw::kCommand), test_hw::kFromMemory);
  EXPECT_EQ(bench.registers.read(test_hw::kResult), test_hw::kDone);
  bench.begin(PciTestBench::kTo, 0);
  sc_test::run_out();
  EXPECT_TRUE(bench.same());
  EXPECT_EQ(bench.registers.read(test_hw::kTransfers), 2U);
  EXPECT_EQ(bench.interrupts.raised.size(), 2U);
}

SC_TEST(PciTest, ATransferThatFailsSaysSoAndKeepsTheBuffer) {
  PciTestBench bench;
  bench.begin(PciTestBench::kFrom, test_hw::kFromMemory);
  sc_test::run_out();
  bench.begin(1ULL << 40, test_hw::kFromMemory);  // beyond memory
  sc_test::run_out();
  EXPECT_EQ(bench.registers.read(test_hw::kResult), test_hw::kFailed);
  EXPECT_EQ(bench.device.statistics().failed.value(), 1U);
  bench.begin(PciTestBench::kTo, 0);
  sc_test::run_out();
  EXPECT_TRUE(bench.same());
}

SC_TEST(PciTest, ACommandWhileItIsBusyIsIgnored) {
  PciTestBench bench;
  bench.begin(PciTestBench::kFrom, test_hw::kFromMemory);
  bench.registers.write(test_hw::kCommand, test_hw::kStart);
  sc_test::run_out();
  EXPECT_EQ(bench.registers.read(test_hw::kTransfers), 1U);
  EXPECT_EQ(bench.device.statistics().ignored.value(), 1U);
}

SC_TEST(PciTest, StartNs) {
  PciTestParams params;
  params.start_ns = 300;
  PciTestBench bench(params);
  bench.mark();
  bench.begin(PciTestBench::kFrom, test_hw::kFromMemory);
  bench.run_to(299'999);
  EXPECT_EQ(bench.device.master().statistics().issued.value(), 0U);
  bench.run_to(300'000);
  EXPECT_EQ(bench.device.master().statistics().issued.value(), 1U);
  sc_test::run_out();
}

SC_TEST(PciTest, RegisterNs) {
  PciTestParams params;
  params.register_ns = 70;
  PciTestBench bench(params);
  (void)bench.registers.read(test_hw::kCommand);
  EXPECT_EQ(bench.registers.took, 70'000U);
}

SC_TEST(PciTest, WithoutBusMasteringATransferWaits) {
  PciTestBench bench;
  bench.device.set_bus_master(false);
  bench.begin(PciTestBench::kFrom, test_hw::kFromMemory);
  sc_test::run_to(bus::now_ps() + 10'000'000);
  EXPECT_EQ(bench.device.master().statistics().issued.value(), 0U);
  bench.device.set_bus_master(true);
  sc_test::run_out();
  EXPECT_EQ(bench.registers.read(test_hw::kResult), test_hw::kDone);
}

SC_TEST(PciTest, AResetForgetsWhatIsUnderWay) {
  PciTestBench bench;
  bench.begin(PciTestBench::kFrom, test_hw::kFromMemory);
  while (bench.device.master().in_flight() == 0) sc_test::run_to(bus::now_ps() + 1000);
  bench.device.reset();
  EXPECT_FALSE(bench.device.idle());
  EXPECT_EQ(bench.registers.read(test_hw::kCommand), 0U);
  bench.begin(PciTestBench::kTo, 0);  // waits for the other
  sc_test::run_out();
  EXPECT_TRUE(bench.device.idle());
  EXPECT_EQ(bench.registers.read(test_hw::kTransfers), 1U);
  EXPECT_EQ(bench.get<std::uint64_t>(PciTestBench::kTo), 0U) << "an empty buffer";
}

}  // namespace
}  // namespace iommusim::devices
