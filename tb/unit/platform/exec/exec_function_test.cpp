// SPDX-License-Identifier: Apache-2.0
#include "platform/exec/exec_function.h"

#include "unit/platform/exec/exec_rig.h"

namespace iommusim::platform {
namespace {

namespace test_hw = device_hw::pci_test;
namespace engine_hw = device_hw::dma_engine;
using exec_rig::Rig;

SC_TEST(ExecFunction, AnAccessTakesItsSimulatedTimeAndNothingElseDoes) {
  Rig rig;
  ExecFunction& test = *rig.slot("test").function;
  const std::uint64_t start = rig.machine.driver().now_ps();
  (void)test.bar_read(0, test_hw::kCommand, 4);
  EXPECT_EQ(rig.machine.driver().now_ps() - start, (100 + 50) * 1000U) << "register_ns and cost.mmio_ns";
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(rig.machine.driver().now_ps() - start, 150'000U);
  test.bar_write(0, test_hw::kAddress, 8, 1);
  EXPECT_EQ(rig.machine.driver().now_ps() - start, 200'000U) << "a write is posted";
}

SC_TEST(ExecFunction, NarrowAccessesReachTheirBytes) {
  Rig rig;
  ExecFunction& test = *rig.slot("test").function;
  test.bar_write(0, test_hw::kAddress, 8, 0x1122334455667788);
  EXPECT_EQ(test.bar_read(0, 0, 1), 0x88U);
  EXPECT_EQ(test.bar_read(0, 2, 2), 0x5566U);
  EXPECT_EQ(test.bar_read(0, 7, 1), 0x11U);
  test.bar_write(0, 5, 1, 0xff);
  test.bar_write(0, 0, 2, 0xabcd);
  EXPECT_EQ(test.bar_read(0, 0, 8), 0x1122ff445566abcdU);
}

SC_TEST(ExecFunction, TheMsixTableIsMemoryOfItsOwn) {
  Rig rig;
  ExecFunction& engine = *rig.slot("engine").function;
  engine.bar_write(0, engine_hw::kMsixTable + 16, 8, 0xfee00000);
  EXPECT_EQ(engine.bar_read(0, engine_hw::kMsixTable + 16, 4), 0xfee00000U);
  EXPECT_EQ(engine.bar_read(0, engine_hw::kMsixTable + 64, 4), 0U) << "behind the last vector";
  engine.reset();
  EXPECT_EQ(engine.bar_read(0, engine_hw::kMsixTable + 16, 4), 0U);
}

struct Accesses final : ExecMmioListener {
  std::vector<std::uint64_t> values, ends;
  void mmio(std::uint32_t device, unsigned, std::uint64_t, unsigned, bool, std::uint64_t value, std::uint64_t start,
            std::uint64_t end) override {
    EXPECT_EQ(device, 0x20U);
    EXPECT_LT(start, end);
    values.push_back(value);
    ends.push_back(end);
  }
};

SC_TEST(ExecFunction, AccessesAreTold) {
  Rig rig;
  Accesses accesses;
  ExecFunction& test = *rig.slot("test").function;
  test.listen(&accesses);
  test.bar_write(0, test_hw::kAddress, 8, 77);
  (void)test.bar_read(0, test_hw::kAddress, 4);
  EXPECT_EQ(accesses.values, (std::vector<std::uint64_t>{77, 77}));
}

SC_TEST(ExecFunction, NoDmaBeforeBusMasteringAndNoInterruptToNobody) {
  Rig rig;
  ExecFunction& test = *rig.slot("test").function;
  test.bar_write(0, test_hw::kCommand, 4, test_hw::kStart);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(test.bar_read(0, test_hw::kCommand, 4) & test_hw::kStart, test_hw::kStart);
  test.reset();
  EXPECT_EQ(test.bar_read(0, test_hw::kCommand, 4), 0U);
  EXPECT_EQ(test.model().master().statistics().issued.value(), 0U);
}

}  // namespace
}  // namespace iommusim::platform
