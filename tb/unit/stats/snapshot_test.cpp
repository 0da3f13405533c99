// SPDX-License-Identifier: Apache-2.0
// A snapshot is a copy: it shows the same walk as the tree did then, and differences are what happened in between.
#include "stats/snapshot.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "example.h"
#include "stats/report.h"

namespace iommusim::stats {
namespace {

/// Writes the walk down.
class WalkLog final : public Visitor {
 public:
  void enter(const std::string& name) override { log += name + "("; }
  void scalar(const Info& info, std::uint64_t value) override { log += info.name + "=" + std::to_string(value) + " "; }
  void ratio(const Info& info, std::uint64_t numerator, std::uint64_t denominator) override {
    log += info.name + "=" + std::to_string(numerator) + "/" + std::to_string(denominator) + " ";
  }
  void histogram(const Info& info, const HistogramData& data) override {
    log += info.name + "#" + std::to_string(data.count()) + " ";
  }
  void occupancy(const Info& info, const OccupancyData& data) override {
    log += info.name + "~" + std::to_string(data.integral()) + " ";
  }
  void leave() override { log += ")"; }
  std::string log;
};

template <class Walked>
std::string walk_log(const Walked& walked) {
  WalkLog visitor;
  walked.accept(visitor);
  return visitor.log;
}

TEST(Snapshot, ShowsTheWalkOfThatMoment) {
  example::Iommu iommu("iommu");
  iommu.iotlb.lookups += 4;
  iommu.iotlb.hits += 3;
  iommu.iotlb.wait.add(9);
  const Snapshot snapshot(iommu);
  const std::string then = walk_log(iommu);
  EXPECT_EQ(then,
            "iommu(accepted=0 iotlb(lookups=4 hits=3 misses=1 hit_rate=3/4 wait_cycles#1 )in_flight~0 completed=0 )");
  ++iommu.accepted;
  iommu.reset();
  EXPECT_EQ(walk_log(snapshot), then);
}

TEST(Snapshot, TheDifferenceIsWhatHappenedInBetween) {
  example::Iommu iommu("iommu");
  iommu.iotlb.lookups += 4;
  iommu.iotlb.hits += 3;
  iommu.iotlb.wait.add(9);
  iommu.in_flight.enter(0);
  iommu.advance(10);
  const Snapshot earlier(iommu);
  iommu.iotlb.lookups += 10;
  iommu.iotlb.hits += 1;
  iommu.iotlb.wait.add(70);
  iommu.iotlb.wait.add(80);
  iommu.advance(15);
  EXPECT_EQ(walk_log(difference(Snapshot(iommu), earlier)),
            "iommu(accepted=0 iotlb(lookups=10 hits=1 misses=9 hit_rate=1/10 wait_cycles#2 )in_flight~5 completed=0 )");
}

TEST(Snapshot, OfTwoTreesThereIsNoDifference) {
  const example::Iommu iommu("iommu");
  const example::Iotlb iotlb("iotlb");
  EXPECT_THROW(difference(Snapshot(iommu), Snapshot(iotlb)), base::Contradiction);
}

}  // namespace
}  // namespace iommusim::stats
