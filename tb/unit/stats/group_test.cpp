// SPDX-License-Identifier: Apache-2.0
// The tree: paths, order of the walk, reset, identities, and the life of groups.
#include "stats/group.h"

#include <gmock/gmock.h>

#include <optional>

#include "base/error.h"
#include "example.h"
#include "stats/report.h"

namespace iommusim::stats {
namespace {

std::vector<std::string> paths_of(const Group& group) {
  std::vector<std::string> paths;
  for (const Definition& definition : list_definitions(group)) paths.push_back(definition.path);
  return paths;
}

TEST(Group, ThePathIsTheTree) {
  const example::Iommu iommu("iommu");
  EXPECT_EQ(iommu.path(), "iommu");
  EXPECT_EQ(iommu.iotlb.path(), "iommu.iotlb");
}

TEST(Group, WalksInOrderOfDeclaration) {
  const example::Iommu iommu("iommu");
  EXPECT_THAT(paths_of(iommu), testing::ElementsAre("iommu.accepted", "iommu.iotlb.lookups", "iommu.iotlb.hits",
                                                    "iommu.iotlb.misses", "iommu.iotlb.hit_rate",
                                                    "iommu.iotlb.wait_cycles", "iommu.in_flight", "iommu.completed"));
}

TEST(Group, ResetReachesTheWholeTree) {
  example::Iommu iommu("iommu");
  ++iommu.accepted;
  ++iommu.iotlb.lookups;
  iommu.iotlb.wait.add(5);
  iommu.in_flight.enter(10);
  iommu.advance(20);
  iommu.reset();
  EXPECT_EQ(iommu.accepted.value(), 0U);
  EXPECT_EQ(iommu.iotlb.lookups.value(), 0U);
  EXPECT_EQ(iommu.iotlb.wait.data().count(), 0U);
  EXPECT_EQ(iommu.in_flight.data().integral(), 0U);
  EXPECT_EQ(iommu.in_flight.level(), 1U) << "who is inside stays inside";
}

TEST(Group, AdvanceTellsTheTimeToTheOccupanciesBelow) {
  Group system("system");
  example::Iommu iommu(system, "iommu");
  iommu.in_flight.enter(10);
  system.advance(15);
  EXPECT_EQ(iommu.in_flight.data().integral(), 5U);
}

TEST(Group, AnIdentityThatHoldsIsSilent) {
  example::Iommu iommu("iommu");
  ++iommu.accepted;
  iommu.in_flight.enter(1);
  EXPECT_NO_THROW(check_identities(iommu));
  iommu.reset();
  ++iommu.completed;
  iommu.in_flight.leave(2);
  EXPECT_NO_THROW(check_identities(iommu)) << "a request of the warm-up that ends in the window";
}

TEST(Group, ABrokenIdentityIsNamedWithBothValues) {
  Group system("system");
  example::Iommu iommu(system, "iommu");
  iommu.accepted += 3;
  ++iommu.completed;
  try {
    check_identities(system);
    FAIL() << "3 = 1 was accepted";
  } catch (const base::Contradiction& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("statistics of 'system.iommu': identity 'accepted + inside at the "
                                                 "start = completed + inside' does not hold: 3 is not 1"));
  }
}

TEST(Group, TwoStatisticsOfOneNameAreAContradiction) {
  Group group("g");
  const Counter first(group, "a", Unit::kCount, "");
  EXPECT_THROW(Counter(group, "a", Unit::kCount, ""), base::Contradiction);
  EXPECT_THROW(Group(group, "a"), base::Contradiction);
}

TEST(Group, AGroupThatEndsLeavesTheTree) {
  Group system("system");
  std::optional<example::Iotlb> iotlb;
  iotlb.emplace(system, "iotlb");
  EXPECT_EQ(paths_of(system).size(), 5U);
  iotlb.reset();
  EXPECT_TRUE(paths_of(system).empty());
  iotlb.emplace(system, "iotlb");  // the name is free again
  EXPECT_EQ(paths_of(system).size(), 5U);
}

TEST(Group, AChildMayOutliveItsParent) {
  std::optional<Group> system;
  system.emplace("system");
  const example::Iotlb iotlb(*system, "iotlb");
  system.reset();
  EXPECT_EQ(iotlb.path(), "iotlb");
}

}  // namespace
}  // namespace iommusim::stats
