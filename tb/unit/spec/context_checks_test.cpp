// SPDX-License-Identifier: Apache-2.0
// Each rule of IOMMU 2.1.4 and 2.2.4 alone: a context that is fine, one change that makes it misconfigured, and the
// capability that makes the change fine again.
#include "spec/context_checks.h"

#include <gtest/gtest.h>

#include <functional>

namespace iommusim::spec {

DeviceContext sv39_over_sv39x4() { return {{1, 8ULL << 60 | 4, 0, 8ULL << 60}}; }

bool bad(const DeviceContext& context, const Implementation& implementation = {}, std::uint64_t fctl = 0) {
  return misconfigured(context, implementation, fctl);
}
bool bad_with(const std::function<void(DeviceContext&)>& change, const std::function<void(Implementation&)>& grant = {},
              std::uint64_t fctl = 0) {
  DeviceContext context = sv39_over_sv39x4();
  Implementation implementation;
  if (grant) grant(implementation);
  change(context);
  return misconfigured(context, implementation, fctl);
}
void set_tc(DeviceContext& context, unsigned bit) { context.words[0] |= 1ULL << bit; }
void set_mode(DeviceContext& context, unsigned word, std::uint64_t mode) {
  context.words[word] = base::with_bits(context.words[word], 60, 4, mode);
}

TEST(DeviceContextChecks, AGoodContextPasses) { EXPECT_FALSE(bad(sv39_over_sv39x4())); }

TEST(DeviceContextChecks, Rule1ReservedBits) {
  for (unsigned bit = 12; bit < 64; ++bit)
    EXPECT_EQ(bad_with([&](auto& c) { set_tc(c, bit); }), bit < 24 || bit > 31) << bit;
  for (unsigned bit = 0; bit < 64; ++bit) {
    const bool reserved = bit < 12 || bit >= 32;
    EXPECT_EQ(bad_with([&](auto& c) { c.words[2] |= 1ULL << bit; }), reserved) << bit;
    EXPECT_EQ(bad_with([&](auto& c) { c.words[3] |= 1ULL << bit; }), bit >= 44 && bit != 63 && bit != 61 && bit != 60)
        << bit;
  }
  EXPECT_FALSE(bad_with([](auto& c) { c.words[7] = 1; })) << "the base format has no word 7";
  const auto extended = [](Implementation& i) { i.msi_flat = true; };
  EXPECT_TRUE(bad_with([](auto& c) { c.words[7] = 1; }, extended));
  EXPECT_TRUE(bad_with([](auto& c) { c.words[4] |= 1ULL << 44; }, extended));
  EXPECT_TRUE(bad_with([](auto& c) { c.words[5] |= 1ULL << 47; }, extended)) << "beyond MGPAW 59";
  EXPECT_FALSE(bad_with([](auto& c) { c.words[5] |= 1ULL << 46; }, extended));
  EXPECT_TRUE(bad_with([](auto& c) { c.words[6] |= 1ULL << 47; }, extended));
}

TEST(DeviceContextChecks, MsiAddressBitsFollowTheWidestSecondStage) {
  const auto bits_with = [](bool sv57x4, bool sv48x4, bool sv39x4, bool sv32x4) {
    Implementation i;
    i.sv57x4 = sv57x4, i.sv48x4 = sv48x4, i.sv39x4 = sv39x4, i.sv32x4 = sv32x4;
    i.pas = 44;
    i.msi_flat = true;
    const unsigned bits = msi_address_bits(i);
    // Mask and pattern hold page numbers: the first bit beyond is reserved, the last one is not.
    DeviceContext context;
    context.words[0] = 1;
    for (const unsigned word : {5U, 6U}) {
      context.words[word] = 1ULL << (bits - 12 - 1);
      EXPECT_FALSE(bad(context, i)) << bits;
      context.words[word] = 1ULL << (bits - 12);
      EXPECT_TRUE(bad(context, i)) << bits;
      context.words[word] = 0;
    }
    return bits;
  };
  EXPECT_EQ(bits_with(true, true, true, true), 59U);
  EXPECT_EQ(bits_with(false, true, true, true), 50U);
  EXPECT_EQ(bits_with(false, false, true, true), 41U);
  EXPECT_EQ(bits_with(false, false, false, true), 34U);
  EXPECT_EQ(bits_with(false, false, false, false), 44U) << "PAS";
}

TEST(DeviceContextChecks, Rules2To7Ats) {
  const auto ats = [](Implementation& i) { i.ats = true; };
  const auto t2gpa = [](Implementation& i) { i.ats = i.t2gpa = true; };
  for (const unsigned bit : {1U, 2U, 6U}) EXPECT_TRUE(bad_with([&](auto& c) { set_tc(c, bit); })) << bit;
  EXPECT_FALSE(bad_with([](auto& c) { c.words[0] |= 0x46; }, ats));
  EXPECT_TRUE(bad_with([](auto& c) { set_tc(c, 3); }, t2gpa)) << "T2GPA without EN_ATS";
  EXPECT_TRUE(bad_with([](auto& c) { set_tc(c, 2); }, ats)) << "EN_PRI without EN_ATS";
  EXPECT_TRUE(bad_with([](auto& c) { c.words[0] |= 0x42; }, ats)) << "PRPR without EN_PRI";
  EXPECT_TRUE(bad_with([](auto& c) { c.words[0] |= 0xa; }, ats)) << "T2GPA without the capability";
  EXPECT_FALSE(bad_with([](auto& c) { c.words[0] |= 0xa; }, t2gpa));
  EXPECT_TRUE(bad_with([](auto& c) { c.words[0] |= 0xa, c.words[1] = 0; }, t2gpa)) << "T2GPA with Bare";
}

TEST(DeviceContextChecks, Rule8ProcessDirectories) {
  const auto with_pdt = [](std::uint64_t mode) {
    return [mode](DeviceContext& c) { set_tc(c, 5), set_mode(c, 3, mode); };
  };
  const auto all = [](Implementation& i) { i.pd8 = i.pd17 = i.pd20 = true; };
  for (std::uint64_t mode = 1; mode < 16; ++mode) {
    EXPECT_TRUE(bad_with(with_pdt(mode))) << mode;
    EXPECT_EQ(bad_with(with_pdt(mode), all), mode > 3) << mode;
  }
  EXPECT_FALSE(bad_with(with_pdt(0)));
  EXPECT_TRUE(bad_with(with_pdt(3), [](Implementation& i) { i.pd8 = i.pd17 = true; }));
  EXPECT_TRUE(bad_with(with_pdt(2), [](Implementation& i) { i.pd8 = i.pd20 = true; }));
  EXPECT_TRUE(bad_with(with_pdt(1), [](Implementation& i) { i.pd17 = i.pd20 = true; }));
}

TEST(DeviceContextChecks, Rules9To12FirstStage) {
  for (std::uint64_t mode = 0; mode < 16; ++mode)
    EXPECT_EQ(bad_with([&](auto& c) { set_mode(c, 3, mode); }), mode != 0 && (mode < 8 || mode > 10)) << mode;
  EXPECT_TRUE(bad_with([](auto& c) { set_mode(c, 3, 10); }, [](Implementation& i) { i.sv57 = false; }));
  EXPECT_TRUE(bad_with([](auto& c) { set_mode(c, 3, 9); }, [](Implementation& i) { i.sv48 = i.sv57 = false; }));
  EXPECT_TRUE(bad_with([](auto&) {}, [](Implementation& i) { i.sv39 = i.sv48 = i.sv57 = false; }));
  const auto rv32 = [](Implementation& i) { i.gxl_writeable = i.sv32 = true; };
  EXPECT_FALSE(bad_with([](auto& c) { set_tc(c, 11); }, rv32));
  EXPECT_TRUE(bad_with([](auto& c) { set_tc(c, 11), set_mode(c, 3, 9); }, rv32));
  EXPECT_TRUE(bad_with([](auto& c) { set_tc(c, 11); }, [](Implementation& i) { i.gxl_writeable = true; }));
  EXPECT_TRUE(bad_with([](auto& c) { set_tc(c, 9); })) << "DPE without PDTV";
}

TEST(DeviceContextChecks, Rules13To17SecondStage) {
  for (std::uint64_t mode = 0; mode < 16; ++mode)
    EXPECT_EQ(bad_with([&](auto& c) { set_mode(c, 1, mode); }), mode != 0 && (mode < 8 || mode > 10)) << mode;
  EXPECT_TRUE(bad_with([](auto&) {}, [](Implementation& i) { i.sv39x4 = false; }));
  EXPECT_TRUE(bad_with([](auto& c) { set_mode(c, 1, 9); }, [](Implementation& i) { i.sv48x4 = false; }));
  EXPECT_TRUE(bad_with([](auto& c) { set_mode(c, 1, 10); }, [](Implementation& i) { i.sv57x4 = false; }));
  const auto rv32 = [](Implementation& i) { i.sv32 = i.sv32x4 = true; };
  const auto with_sxl = [](DeviceContext& c) { set_tc(c, 11); };
  EXPECT_FALSE(bad_with(with_sxl, rv32, fctl::kGxl.mask()));
  EXPECT_TRUE(bad_with([](auto& c) { set_tc(c, 11), set_mode(c, 1, 9); }, rv32, fctl::kGxl.mask()));
  EXPECT_TRUE(bad_with(
      with_sxl, [](Implementation& i) { i.sv32 = true; }, fctl::kGxl.mask()))
      << "no Sv32x4";
  for (const std::uint64_t low : {1, 2, 3}) EXPECT_TRUE(bad_with([&](auto& c) { c.words[1] |= low; })) << "alignment";
}

TEST(DeviceContextChecks, Rule16Msi) {
  const auto extended = [](Implementation& i) { i.msi_flat = true; };
  for (std::uint64_t mode = 0; mode < 16; ++mode)
    EXPECT_EQ(bad_with([&](auto& c) { set_mode(c, 4, mode); }, extended), mode > 1) << mode;
  EXPECT_TRUE(bad_with([](auto& c) { set_mode(c, 4, 1), c.words[1] = 0; }, extended)) << "Flat without a second stage";
}

TEST(DeviceContextChecks, Rules18To21Control) {
  const auto no_updates = [](Implementation& i) { i.amo_hwad = false; };
  for (const unsigned bit : {7U, 8U}) {
    EXPECT_TRUE(bad_with([&](auto& c) { set_tc(c, bit); }, no_updates)) << bit;
    EXPECT_FALSE(bad_with([&](auto& c) { set_tc(c, bit); })) << bit;
  }
  const auto with_sbe = [](DeviceContext& c) { set_tc(c, 10); };
  EXPECT_TRUE(bad_with(with_sbe));
  EXPECT_FALSE(bad_with(with_sbe, {}, fctl::kBe.mask()));
  EXPECT_TRUE(bad_with([](auto&) {}, {}, fctl::kBe.mask()));
  EXPECT_FALSE(bad_with(with_sbe, [](Implementation& i) { i.end = i.be_writeable = true; }));
  EXPECT_TRUE(bad_with([](auto& c) { set_tc(c, 11); }, [](Implementation& i) { i.sv32 = true; })) << "GXL fixed at 0";
  EXPECT_TRUE(bad_with([](auto&) {}, [](Implementation& i) { i.sv32x4 = true; }, fctl::kGxl.mask())) << "GXL = 1";
}

TEST(DeviceContextChecks, Rule22QosIdentifiers) {
  const auto qos = [](Implementation& i) { i.qosid = true, i.qosid_mask = 0x00070003; };
  EXPECT_FALSE(bad_with([](auto& c) { c.words[2] |= 3ULL << 40 | 7ULL << 52; }, qos));
  EXPECT_TRUE(bad_with([](auto& c) { c.words[2] |= 4ULL << 40; }, qos));
  EXPECT_TRUE(bad_with([](auto& c) { c.words[2] |= 8ULL << 52; }, qos));
}

TEST(ProcessContextChecks, ReservedBitsAndModes) {
  const auto bad_process = [](std::uint64_t ta, std::uint64_t fsc, bool sxl = false) {
    Implementation implementation;
    implementation.sv32 = true;
    return misconfigured(ProcessContext{{ta | 1, fsc}}, implementation, sxl);
  };
  EXPECT_FALSE(bad_process(6, 8ULL << 60));
  for (unsigned bit = 3; bit < 64; ++bit) EXPECT_EQ(bad_process(1ULL << bit, 0), bit < 12 || bit > 31) << bit;
  for (unsigned bit = 44; bit < 60; ++bit) EXPECT_TRUE(bad_process(0, 1ULL << bit)) << bit;
  for (std::uint64_t mode = 0; mode < 16; ++mode) {
    EXPECT_EQ(bad_process(0, mode << 60), mode != 0 && (mode < 8 || mode > 10)) << mode;
    EXPECT_EQ(bad_process(0, mode << 60, true), mode != 0 && mode != 8) << mode;
  }
}

TEST(ProcessContextChecks, ModesNeedTheirCapability) {
  const auto bad_mode = [](std::uint64_t mode, bool sxl, bool Implementation::*capability) {
    Implementation implementation;
    implementation.sv32 = true;
    const ProcessContext context{{1, mode << 60}};
    EXPECT_FALSE(misconfigured(context, implementation, sxl));
    implementation.*capability = false;
    return misconfigured(context, implementation, sxl);
  };
  EXPECT_TRUE(bad_mode(8, false, &Implementation::sv39));
  EXPECT_TRUE(bad_mode(9, false, &Implementation::sv48));
  EXPECT_TRUE(bad_mode(10, false, &Implementation::sv57));
  EXPECT_TRUE(bad_mode(8, true, &Implementation::sv32));
  EXPECT_FALSE(bad_mode(8, false, &Implementation::sv32)) << "Sv39 with SXL = 0";
}

TEST(DirectoryEntryChecks, ReservedBits) {
  for (unsigned bit = 1; bit < 64; ++bit)
    EXPECT_EQ(directory_entry_misconfigured(1 | 1ULL << bit), bit < 10 || bit > 53) << bit;
}

}  // namespace iommusim::spec
