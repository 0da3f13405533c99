// SPDX-License-Identifier: Apache-2.0
// The software of a system on the functional model: what parameters of a device become in the driver.
#include "platform/kernel.h"

#include <gtest/gtest.h>

#include "model_bench.h"
#include "platform/iommu_driver_params.h"

namespace iommusim::platform {
namespace {

namespace riscv_test = drivers::riscv::test;

struct KernelTest : ::testing::Test {
  KernelTest() { kernel.boot(); }
  ~KernelTest() override { kernel.shutdown(); }

  riscv_test::ManualOs os;
  hal::SparseMemory memory;
  translate::Registers registers{riscv_test::everything()};
  riscv_test::ModelMemory port{memory};
  riscv_test::ModelMessages messages;
  translate::FunctionalEngine engine{registers, port, &messages, translate::FunctionalCacheParams{}};
  riscv_test::ModelMmio mmio{engine, messages};
  riscv_test::ManualInterrupts interrupts{4};
  SystemParams params;
  Topology topology{params, {}};
  stats::Group root{"system"};
  Kernel kernel{params, os, memory, {{"iommu", "", mmio, interrupts}}, topology, root};
};

TEST_F(KernelTest, PasidBits_AreWhatTheDriverOffersUpToTheIommu) {
  EXPECT_EQ(kernel.add_device(8, "devices.a").pasid_width(), 0U) << "the default";
  EXPECT_EQ(kernel.add_device(9, "devices.b", {}, PasidParams{1}).pasid_width(), 1U);
  EXPECT_EQ(kernel.add_device(10, "devices.c", {}, PasidParams{20}).pasid_width(), 20U);
}

TEST_F(KernelTest, PasidExecute_AndPasidPrivileged_AreCapabilities) {
  using domain::Capability;
  domain::Device& with = kernel.add_device(9, "devices.b", {}, PasidParams{8, true, true});
  domain::Device& without = kernel.add_device(10, "devices.c", {}, PasidParams{8});
  EXPECT_TRUE(with.capable(Capability::kPasidExecute));
  EXPECT_TRUE(with.capable(Capability::kPasidPrivileged));
  EXPECT_FALSE(without.capable(Capability::kPasidExecute));
  EXPECT_FALSE(without.capable(Capability::kPasidPrivileged));
}

}  // namespace
}  // namespace iommusim::platform
