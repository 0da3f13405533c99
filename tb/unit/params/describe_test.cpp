// SPDX-License-Identifier: Apache-2.0
// Flattening a group: every field once, bound to the object; an undescribed field is seen at compile time.
#include "params/describe.h"

#include <gmock/gmock.h>

#include "example.h"

namespace iommusim::params {
namespace {

struct Forgetful {
  std::uint32_t entries = 1;
  std::string forgotten;

  template <class V>
  static constexpr void describe(V&& v) {
    v("entries", &Forgetful::entries, Unit::kCount, Range{1, 2}, "known");
  }
};
static_assert(described_count<Forgetful>() == 1 && field_count<Forgetful>() == 2, "a forgotten field must be noticed");

struct Nothing {
  template <class V>
  static constexpr void describe(V&& /*v*/) {}
};
static_assert(described_count<Nothing>() == 0 && field_count<Nothing>() == 0);
static_assert(described_count<example::Iotlb>() == 4 && field_count<example::Iotlb>() == 4);
static_assert(described_count<example::Iommu>() == 2 && field_count<example::Iommu>() == 2, "a group is one field");
static_assert(described_count<example::System>() == 7 && field_count<example::System>() == 7);

TEST(Describe, FieldsComeInOrderWithTheirWords) {
  example::Iotlb iotlb;
  const auto fields = fields_of(iotlb);
  ASSERT_EQ(fields.size(), 4U);
  EXPECT_STREQ(fields[0].name, "entries");
  EXPECT_STREQ(fields[0].text, "translations held");
  EXPECT_EQ(fields[2].unit, Unit::kNs);
  EXPECT_STREQ(fields[3].name, "merge");
}

TEST(Describe, FieldsPointIntoTheObject) {
  example::System system;
  const auto fields = fields_of(system);
  const auto& iommu = std::get<GroupSlot>(fields[0].slot).fields;
  *std::get<std::uint32_t*>(iommu[1].slot) = 1234;
  EXPECT_EQ(system.iommu.clock_mhz, 1234U);

  const auto& policy = std::get<ChoiceSlot>(std::get<GroupSlot>(iommu[0].slot).fields[1].slot);
  EXPECT_EQ(policy.load(policy.value), 0);
  policy.store(policy.value, 2);
  EXPECT_EQ(system.iommu.iotlb.policy, example::Policy::kRandom);
}

TEST(Describe, NamedGroupsAreMadeWithTheirDefaultsWhenAskedFor) {
  example::System system;
  const auto fields = fields_of(system);
  const auto& devices = std::get<MapSlot>(fields[1].slot);
  EXPECT_TRUE(devices.names().empty());
  *std::get<std::string*>(devices.element("nic")[0].slot) = "a.trace";
  EXPECT_THAT(devices.names(), testing::ElementsAre("nic"));
  EXPECT_EQ(system.devices.at("nic").trace, "a.trace");
  EXPECT_EQ(system.devices.at("nic").window, 1ULL << 20);
  EXPECT_EQ(devices.prototype.size(), 4U);
}

}  // namespace
}  // namespace iommusim::params
