// SPDX-License-Identifier: Apache-2.0
// What a device tells of itself and its IOMMU, and which page tables it makes.
#include <cerrno>

#include "guest_bench.h"

namespace iommusim::drivers::riscv::test {
namespace {

TEST(RiscvDeviceOffers, HardwareInformationIsTheRegisters) {
  ModelBench bench;
  RiscvDevice& device = bench.add(5);
  for (const std::uint32_t type : {0U, uapi::kHwInfoRiscv}) {
    domain::HwInfo info;
    ASSERT_EQ(device.hw_info(type, info), 0);
    EXPECT_EQ(info.type, uapi::kHwInfoRiscv);
    uapi::hw_info_riscv data{};
    ASSERT_EQ(info.data.size(), sizeof data);
    std::memcpy(&data, info.data.data(), sizeof data);
    EXPECT_EQ(data.flags, 0U);
    EXPECT_EQ(data.capabilities, everything().capabilities());
    EXPECT_EQ(data.fctl, bench.mmio.read32(hw::kFctlOffset));
    EXPECT_EQ(data.version, 0x10U);
    EXPECT_EQ(data.directory_levels, 3U);
    EXPECT_EQ(data.pscid_bits, 20U);
    EXPECT_EQ(data.reserved, 0U);
  }
  domain::HwInfo info;
  EXPECT_EQ(device.hw_info(1, info), EOPNOTSUPP) << "VT-d";
}

TEST(RiscvDeviceOffers, CapabilitiesOfAllMachines) {
  using domain::Capability;
  ModelBench bench;
  DeviceDescription description;
  description.device_ids = {6};
  description.pasid_bits = 8;
  description.pasid_execute = description.pasid_privileged = true;
  RiscvDevice &rich = bench.add(description), &poor = bench.add(5, 0);
  for (const Capability capability :
       {Capability::kCacheCoherency, Capability::kIsolatedMsi, Capability::kEnforceCoherency,
        Capability::kDirtyTracking, Capability::kPasid, Capability::kPasidExecute, Capability::kPasidPrivileged})
    EXPECT_TRUE(rich.capable(capability)) << static_cast<int>(capability);
  for (const Capability capability : {Capability::kPasid, Capability::kPasidExecute, Capability::kPasidPrivileged,
                                      Capability::kAts, Capability::kPageRequests, Capability::kPageRequestsOfPhysical})
    EXPECT_FALSE(poor.capable(capability)) << static_cast<int>(capability);
  RiscvIommuOptions options;
  options.execute = false;
  ModelBench strict(everything(), options);
  EXPECT_FALSE(strict.add(description).capable(Capability::kPasidExecute)) << "no leaf would allow it";
}

TEST(RiscvDeviceOffers, FlagsOfPageTables) {
  ModelBench bench;
  RiscvDevice& device = bench.add(5);
  EXPECT_TRUE(device.takes_paging_requests());
  std::unique_ptr<domain::Domain> out;
  for (const unsigned flags : {0U, 1U, 2U, 3U, 8U, 10U}) EXPECT_EQ(device.alloc_paging({flags, {}}, out), 0) << flags;
  EXPECT_EQ(device.alloc_paging({domain::kNestParent | domain::kForPasids, {}}, out), EOPNOTSUPP);
  EXPECT_EQ(device.alloc_paging({16, {}}, out), EOPNOTSUPP);
  domain::UserData data;
  data.length = 4;
  EXPECT_EQ(device.alloc_paging({0, data}, out), EOPNOTSUPP);
  out.reset();
  spec::Implementation single;
  single.sv39x4 = single.sv48x4 = single.sv57x4 = false;
  ModelBench without(single);
  EXPECT_EQ(without.add(5).alloc_paging({domain::kNestParent, {}}, out), EOPNOTSUPP);
}

TEST(RiscvDeviceOffers, TheWidestStagesUpToTheLimit) {
  RiscvIommuOptions options;
  options.max_address_bits = 48;
  ModelBench bench(everything(), options);
  RiscvDevice& device = bench.add(5);
  EXPECT_EQ(bench.alloc(device)->aperture_last(), (1ULL << 47) - 1);
  EXPECT_EQ(bench.alloc(device, domain::kNestParent)->aperture_last(), (1ULL << 50) - 1);
}

TEST(RiscvDeviceOffers, DriverAndInstanceAreNamed) {
  ModelBench bench;
  RiscvDevice &device = bench.add(5), &other = bench.add(6);
  EXPECT_EQ(device.iommu_driver(), other.iommu_driver());
  EXPECT_EQ(device.iommu_instance(), other.iommu_instance());
  EXPECT_NE(device.iommu_instance(), nullptr);
  EXPECT_EQ(bench.alloc(device)->iommu_driver(), device.iommu_driver());
  EXPECT_TRUE(bench.alloc(device)->enforce_coherency());
}

TEST(RiscvDeviceOffers, NumbersOfSpacesThatRunOut) {
  ModelBench bench;
  RiscvDevice& device = bench.add(5);
  while (bench.system.gscids().take() != 0) {
  }
  std::unique_ptr<domain::Domain> out;
  EXPECT_EQ(device.alloc_paging({domain::kNestParent, {}}, out), ENOMEM);
  for (std::uint32_t i = 1; i < 1U << 16; ++i) bench.system.gscids().give_back(i);
}

}  // namespace
}  // namespace iommusim::drivers::riscv::test
