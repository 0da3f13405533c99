// SPDX-License-Identifier: Apache-2.0
// The format list against the figures of the specification, and the header generated for sw/ against the list.
#include "spec/formats.h"

#include <gtest/gtest.h>

#include "iommu_hw/iommu_hw.h"
#include "spec/causes.h"
#include "spec/registers.h"

namespace iommusim::spec {

TEST(Formats, ReservedBitsAreThoseNoFieldNames) {
  EXPECT_EQ(ddte::kReserved, 0xffc00000000003feULL);
  EXPECT_EQ(dc_tc::kReserved, 0xffffffff00fff000ULL) << "custom bits 31:24 are not reserved";
  EXPECT_EQ(dc_iohgatp::kReserved, 0U);
  EXPECT_EQ(dc_ta::kReserved, 0x000000ff00000fffULL);
  EXPECT_EQ(dc_fsc::kReserved, 0x0ffff00000000000ULL);
  EXPECT_EQ(pc_ta::kReserved, 0xffffffff00000ff8ULL);
  EXPECT_EQ(pte::kReserved, 0x07c0000000000000ULL);
  EXPECT_EQ(iotinval_w0::kReserved, 0xf0000ff800000800ULL);
  EXPECT_EQ(iotinval_w1::kReserved, 0xc0000000000001ffULL);
  EXPECT_EQ(iofence_w0::kReserved, 0x00000000ffffc000ULL);
  EXPECT_EQ(iofence_w1::kReserved, 0xc000000000000000ULL);
  EXPECT_EQ(iodir_w0::kReserved, 0x000000fd00000c00ULL);
  EXPECT_EQ(iodir_w1::kReserved, ~0ULL);
  EXPECT_EQ(ats_w0::kReserved, 0x000000fc00000c00ULL);
}

TEST(Formats, SizesAreThoseOfTheStructures) {
  EXPECT_EQ(kDeviceContextBaseBytes, 32U);
  EXPECT_EQ(kDeviceContextExtendedBytes, 64U);
  EXPECT_EQ(kProcessContextBytes, 16U);
  EXPECT_EQ(kCommandBytes, 16U);
  EXPECT_EQ(kFaultRecordBytes, 32U);
  EXPECT_EQ(kPageRequestBytes, 16U);
}

TEST(GeneratedHeader, AgreesWithTheLists) {
#define IOMMU_REGISTER(name, Name, offset, bytes, count, stride, text) EXPECT_EQ(iommu_hw::k##Name##Offset, offset);
#define IOMMU_FIELD(register_name, name, Name, lsb, width, access, text)                     \
  EXPECT_EQ(iommu_hw::register_name::k##Name##Mask, register_name::k##Name.mask()) << #name; \
  EXPECT_EQ(iommu_hw::register_name::k##Name##Shift, unsigned{lsb});
#include "spec/registers.def"
#define IOMMU_FORMAT_FIELD(format, name, Name, lsb, width, text) \
  EXPECT_EQ(iommu_hw::format::k##Name##Mask, format::k##Name.mask()) << #name;
#define IOMMU_VALUE(set, Name, value, text) EXPECT_EQ(iommu_hw::set::k##Name, unsigned{value});
#include "spec/formats.def"
#define IOMMU_CAUSE(Name, number, reported_with_dtf, ats_answer, text) \
  EXPECT_EQ(static_cast<unsigned>(iommu_hw::Cause::k##Name), static_cast<unsigned>(Cause::k##Name));
#include "spec/causes.def"
}

}  // namespace iommusim::spec
