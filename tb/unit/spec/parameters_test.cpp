// SPDX-License-Identifier: Apache-2.0
#include "spec/parameters.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string_view>

#include "params/describe.h"

namespace iommusim::spec {

static_assert(params::described_count<Implementation>() == params::field_count<Implementation>());

TEST(Implementation, DefaultsReportWhatThereIs) {
  const std::uint64_t value = Implementation{}.capabilities();
  EXPECT_EQ(capabilities::kVersion.get(value), 0x10U);
  EXPECT_EQ(capabilities::kPas.get(value), 56U);
  EXPECT_EQ(capabilities::kIgs.get(value), 2U);
  EXPECT_TRUE(capabilities::kSv57x4.is_set(value));
  EXPECT_EQ(Implementation{}.contradiction(), nullptr);
}

RC_GTEST_PROP(Implementation, CapabilitiesSurviveTheRoundTrip, ()) {
  const std::uint64_t defined = bits_with_access(RegisterId::kCapabilities, FieldAccess::kReadOnly);
  const std::uint64_t value = *rc::gen::arbitrary<std::uint64_t>() & defined;
  Implementation implementation;
  implementation.set_capabilities(value);
  RC_ASSERT(implementation.capabilities() == value);
}

TEST(Implementation, ContradictionsAreNamed) {
  const auto contradiction = [](auto change) {
    Implementation implementation;
    change(implementation);
    return implementation.contradiction() != nullptr;
  };
  EXPECT_TRUE(contradiction([](Implementation& i) { i.sv39 = false; }));
  EXPECT_TRUE(contradiction([](Implementation& i) { i.sv48 = false; }));
  EXPECT_TRUE(contradiction([](Implementation& i) { i.reset_mode = DdtMode::k1Lvl; }));
  EXPECT_TRUE(contradiction([](Implementation& i) { i.max_mode = DdtMode::kBare; }));
  EXPECT_TRUE(contradiction([](Implementation& i) { i.hpm = true; }));
  EXPECT_TRUE(contradiction([](Implementation& i) { i.num_hpm = 2; }));
  EXPECT_FALSE(contradiction([](Implementation& i) { i.hpm = true, i.num_hpm = 2, i.hpm_counter_bits = 32; }));
  EXPECT_TRUE(contradiction([](Implementation& i) { i.hpm = true, i.num_hpm = 2, i.hpm_counter_bits = 31; }));
  EXPECT_TRUE(contradiction([](Implementation& i) { i.hpm = true, i.num_hpm = 1; }));
  EXPECT_TRUE(contradiction([](Implementation& i) { i.t2gpa = true; }));
  EXPECT_TRUE(contradiction([](Implementation& i) { i.msi_mrif = true; }));
  EXPECT_TRUE(contradiction([](Implementation& i) { i.igs = InterruptSupport::kWsi; }));
  EXPECT_TRUE(contradiction([](Implementation& i) { i.set_capabilities(i.capabilities() | 3U << 28); })) << "IGS 3";
  EXPECT_TRUE(contradiction([](Implementation& i) {
    i.igs = InterruptSupport::kMsi;
    i.fctl = fctl::kWsi.mask();
  }));
}

/// The range that a parameter is described with.
struct RangeOf {
  std::string_view wanted;
  params::Range range{0, 0};
  template <class Member>
  void operator()(const char* name, Member, params::Unit, params::Range described, const char*) {
    if (name == wanted) range = described;
  }
  template <class... Others>
  void operator()(Others...) {}
};

TEST(Implementation, EventCountersHaveThirtyTwoBitsAtLeast) {
  RangeOf bits{"hpm_counter_bits"};
  Implementation::describe(bits);
  EXPECT_EQ(static_cast<int>(bits.range.lowest), 32);
  EXPECT_EQ(static_cast<int>(bits.range.highest), 64);
}

}  // namespace iommusim::spec
