// SPDX-License-Identifier: Apache-2.0
// The register list against section 5 of the specification: layout, no overlap, fields inside their register.
#include "spec/registers.h"

#include <gtest/gtest.h>

#include <set>

namespace iommusim::spec {

TEST(RegisterMap, OffsetsAreThoseOfTheSpecification) {
  EXPECT_EQ(kCapabilitiesOffset, 0U);
  EXPECT_EQ(kFctlOffset, 8U);
  EXPECT_EQ(kDdtpOffset, 16U);
  EXPECT_EQ(kCqbOffset, 24U);
  EXPECT_EQ(kCqhOffset, 32U);
  EXPECT_EQ(kCqtOffset, 36U);
  EXPECT_EQ(kFqbOffset, 40U);
  EXPECT_EQ(kFqhOffset, 48U);
  EXPECT_EQ(kFqtOffset, 52U);
  EXPECT_EQ(kPqbOffset, 56U);
  EXPECT_EQ(kPqhOffset, 64U);
  EXPECT_EQ(kPqtOffset, 68U);
  EXPECT_EQ(kCqcsrOffset, 72U);
  EXPECT_EQ(kFqcsrOffset, 76U);
  EXPECT_EQ(kPqcsrOffset, 80U);
  EXPECT_EQ(kIpsrOffset, 84U);
  EXPECT_EQ(kIocountovfOffset, 88U);
  EXPECT_EQ(kIocountinhOffset, 92U);
  EXPECT_EQ(kIohpmcyclesOffset, 96U);
  EXPECT_EQ(kIohpmctrOffset, 104U);
  EXPECT_EQ(kIohpmevtOffset, 352U);
  EXPECT_EQ(kTrReqIovaOffset, 600U);
  EXPECT_EQ(kTrReqCtlOffset, 608U);
  EXPECT_EQ(kTrResponseOffset, 616U);
  EXPECT_EQ(kIommuQosidOffset, 624U);
  EXPECT_EQ(kIcvecOffset, 760U);
  EXPECT_EQ(kMsiAddrOffset, 768U);
}

TEST(RegisterMap, RegistersAreAlignedAndDoNotOverlap) {
  std::set<std::uint32_t> words;
  for (const RegisterInfo& info : kRegisters)
    for (unsigned element = 0; element < info.count; ++element) {
      const std::uint32_t offset = info.offset + element * info.stride;
      EXPECT_EQ(offset % info.bytes, 0U) << info.name;
      for (unsigned byte = 0; byte < info.bytes; byte += 4)
        EXPECT_TRUE(words.insert(offset + byte).second) << info.name << " overlaps at " << offset;
    }
  EXPECT_EQ(*words.rbegin(), 1020U) << "msi_cfg_tbl ends at 1024";
}

TEST(RegisterMap, FieldsFitTheirRegisterAndDoNotOverlap) {
  for (unsigned i = 0; i < kRegisterCount; ++i) {
    const auto id = static_cast<RegisterId>(i);
    std::uint64_t seen = 0;
    for (const FieldAccess access : {FieldAccess::kReadOnly, FieldAccess::kReadWrite, FieldAccess::kWarl,
                                     FieldAccess::kWriteOneClear, FieldAccess::kWriteOneSet}) {
      const std::uint64_t bits = bits_with_access(id, access);
      EXPECT_EQ(seen & bits, 0U) << kRegisters[i].name;
      seen |= bits;
    }
    EXPECT_NE(seen, 0U) << kRegisters[i].name << " has no field";
    EXPECT_TRUE(kRegisters[i].bytes == 8 || seen >> 32 == 0) << kRegisters[i].name;
  }
}

TEST(RegisterMap, AccessAttributesAreThoseOfTheTables) {
  EXPECT_EQ(bits_with_access(RegisterId::kCapabilities, FieldAccess::kReadOnly), 0xfffffefcfffULL & ~0x100000ULL);
  EXPECT_EQ(bits_with_access(RegisterId::kCqcsr, FieldAccess::kReadWrite), 0x3U);
  EXPECT_EQ(bits_with_access(RegisterId::kCqcsr, FieldAccess::kWriteOneClear), 0xf00U);
  EXPECT_EQ(bits_with_access(RegisterId::kCqcsr, FieldAccess::kReadOnly), 0x30000U);
  EXPECT_EQ(bits_with_access(RegisterId::kIpsr, FieldAccess::kWriteOneClear), 0xfU);
  EXPECT_EQ(bits_with_access(RegisterId::kTrReqCtl, FieldAccess::kWriteOneSet), 0x1U);
}

}  // namespace iommusim::spec
