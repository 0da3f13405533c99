// SPDX-License-Identifier: Apache-2.0
#include "platform/topology.h"

#include <gtest/gtest.h>

#include "platform/checks.h"

namespace iommusim::platform {
namespace {

/// A bus of links, with one function for each (device, id).
struct TopologyBench {
  explicit TopologyBench(const std::vector<std::pair<std::string, std::uint32_t>>& named) {
    params.bus.kind = bus::BusKind::kPcie;
    for (const auto& [name, id] : named) {
      params.devices[name].kind = DeviceKind::kUniform;
      functions.push_back({name, id, static_cast<std::uint32_t>(functions.size())});
    }
  }
  BridgeParams& bridge(const std::string& name, const std::string& below = {}) {
    BridgeParams& bridge = params.topology.bridges[name];
    bridge.below = below;
    return bridge;
  }
  std::vector<std::uint32_t> groups() const {
    std::vector<std::uint32_t> out;
    const Topology topology(params, functions);
    for (const auto& function : topology.functions()) out.push_back(function.group);
    return out;
  }
  std::string objection() const {
    try {
      check_topology(params);
    } catch (const ParameterError& error) {
      return error.path();
    }
    return {};
  }
  SystemParams params;
  std::vector<Topology::Named> functions;
};
using Ids = std::vector<std::uint32_t>;

TEST(Topology, WithoutOneEachFunctionIsAGroupBehindTheOneIommu) {
  TopologyBench bench({{"a", 0x100}, {"b", 0x101}});
  const Topology topology(bench.params, bench.functions);
  EXPECT_FALSE(topology.is_named());
  EXPECT_EQ(bench.groups(), (Ids{0x100, 0x101}));
  EXPECT_EQ(topology.functions()[1].iommu, "");
  EXPECT_EQ(topology.functions()[1].alias, 0x101U);
}

TEST(Topology, AcsOfADeviceKeepsItsFunctionsApart) {
  TopologyBench bench({{"a", 0x100}, {"b", 0x101}, {"c", 0x108}});
  bench.params.devices["b"].acs = false;  // one of them is enough
  EXPECT_EQ(bench.groups(), (Ids{0x100, 0x100, 0x108}));
  bench.params.devices["b"].acs = true;
  bench.params.devices["c"].acs = false;  // alone
  EXPECT_EQ(bench.groups(), (Ids{0x100, 0x101, 0x108}));
}

TEST(Topology, AcsOfABridgeKeepsWhatIsBelowItApart) {
  TopologyBench bench({{"a", 0x100}, {"b", 0x208}, {"c", 0x300}, {"d", 0x400}});
  bench.bridge("root");
  bench.bridge("leaf", "root");
  bench.params.devices["a"].below = bench.params.devices["b"].below = "leaf";
  bench.params.devices["c"].below = "root";
  EXPECT_EQ(bench.groups(), (Ids{0x100, 0x208, 0x300, 0x400}));
  bench.bridge("leaf", "root").acs = false;
  EXPECT_EQ(bench.groups(), (Ids{0x100, 0x100, 0x300, 0x400}));
  bench.bridge("root").acs = false;  // whatever is below, however deep
  EXPECT_EQ(bench.groups(), (Ids{0x100, 0x100, 0x100, 0x400}));
}

TEST(Topology, SecondaryBusOfAPciBridgeIsTheIdOfAllThatIsBelow) {
  TopologyBench bench({{"a", 0x708}, {"b", 0x710}, {"c", 0x100}});
  BridgeParams& bridge = bench.bridge("pci");
  bridge.kind = BridgeKind::kPci;
  bridge.secondary_bus = 7;
  bench.params.devices["a"].below = bench.params.devices["b"].below = "pci";
  EXPECT_EQ(bench.groups(), (Ids{0x708, 0x708, 0x100}));
  const Topology topology(bench.params, bench.functions);
  EXPECT_EQ(topology.find(0x710)->alias, 0x700U);
  EXPECT_EQ(topology.find(0x100)->alias, 0x100U);
  EXPECT_EQ(topology.find(0x700), nullptr);
  EXPECT_EQ(topology.shape_of("", {"a", "b", "c"}).ports[1].alias->value, 0x700U);
}

TEST(Topology, IommuIsThatOfTheTopmostBridge) {
  TopologyBench bench({{"a", 0x100}, {"b", 0x200}, {"c", 0x300}});
  bench.params.iommus["second"];
  bench.bridge("root").iommu = "second";
  bench.bridge("leaf", "root");
  bench.params.devices["a"].below = "leaf";
  bench.params.devices["b"].iommu = "second";
  const Topology topology(bench.params, bench.functions);
  EXPECT_EQ(topology.functions()[0].iommu, "second");
  EXPECT_EQ(topology.functions()[1].iommu, "second");
  EXPECT_EQ(topology.functions()[2].iommu, "");
}

TEST(Topology, BelowAndLinkMakeTheTreeOfLinks) {
  TopologyBench bench({{"a", 0x100}, {"b", 0x101}, {"c", 0x200}});
  bench.params.bus.links["fast"].pcie.generation = 5;
  bench.bridge("root").link = "fast";
  bench.bridge("leaf", "root").arbitration = bus::Arbitration::kFixed;
  bench.params.devices["a"].below = bench.params.devices["b"].below = "leaf";
  bench.params.devices["a"].link = "fast";
  EXPECT_THROW((void)Topology(bench.params, bench.functions).shape_of("", {"a", "b", "c"}), ParameterError);
  bench.params.devices["b"].link = "fast";  // functions of one device have one link
  const bus::Fabric::Shape shape = Topology(bench.params, bench.functions).shape_of("", {"a", "b", "c"});
  ASSERT_EQ(shape.links.size(), 4U);
  EXPECT_EQ(shape.links[0].name, "root");
  EXPECT_EQ(shape.links[0].params.pcie.generation, 5U);
  EXPECT_EQ(shape.links[1].above, 0U);
  EXPECT_EQ(shape.links[1].arbitration, bus::Arbitration::kFixed);
  EXPECT_EQ(shape.links[2].above, 1U);
  EXPECT_EQ(shape.links[3].above, bus::Fabric::kHostBridge);
  EXPECT_EQ(shape.ports[1].link, 2U);
  EXPECT_EQ(shape.ports[2].link, 3U);
}

TEST(Topology, FunctionsMayShareAPort) {
  TopologyBench bench({{"a", 0x100}, {"b", 0x200}});
  bench.functions = {{"a", 0x100, 0}, {"a", 0x101, 0}, {"b", 0x200, 1}};
  const Topology topology(bench.params, bench.functions);
  const bus::Fabric::Shape shape = topology.shape_of("", {"a", "b"});
  ASSERT_EQ(shape.ports.size(), 2U);
  EXPECT_EQ(shape.ports[1].name, "b");
  EXPECT_EQ(shape.ports[1].link, 1U);
  EXPECT_EQ(bench.groups(), (Ids{0x100, 0x101, 0x200}));
}

TEST(Topology, ReservedRegionsAreOfADeviceOrOfAll) {
  TopologyBench bench({{"a", 0x100}, {"b", 0x200}});
  bench.params.topology.reserved["all"] = {ReservedKind::kMsi, "", 0x1000, 0x2000};
  bench.params.topology.reserved["one"] = {ReservedKind::kDirect, "b", 0x9000, 0x1000};
  const Topology topology(bench.params, bench.functions);
  ASSERT_EQ(topology.functions()[0].reserved.size(), 1U);
  EXPECT_EQ(topology.functions()[0].reserved[0].last, 0x2fffU);
  EXPECT_EQ(topology.functions()[0].reserved[0].kind, domain::ReservedRegion::Kind::kMsi);
  ASSERT_EQ(topology.functions()[1].reserved.size(), 2U);
  EXPECT_EQ(topology.functions()[1].reserved[1].kind, domain::ReservedRegion::Kind::kDirect);
}

TEST(TopologyChecks, NameTheParameterThatIsWrong) {
  TopologyBench bench({{"a", 0x100}});
  EXPECT_EQ(bench.objection(), "");
  bench.params.devices["a"].below = "rot";
  EXPECT_EQ(bench.objection(), "devices.a.below");
  bench.bridge("rot");
  EXPECT_EQ(bench.objection(), "");
  bench.params.devices["a"].iommu = "x";
  EXPECT_EQ(bench.objection(), "devices.a.iommu");
  bench.params.iommus["x"];
  EXPECT_EQ(bench.objection(), "devices.a.iommu");  // the bridge says it
  bench.params.devices["a"].iommu.clear();
  bench.bridge("rot", "top").iommu = "x";
  EXPECT_EQ(bench.objection(), "topology.bridges.rot.below");
  bench.bridge("top");
  EXPECT_EQ(bench.objection(), "topology.bridges.rot.iommu");
  bench.bridge("rot").iommu.clear();
  bench.bridge("rot", "top");
  bench.bridge("top", "rot");
  EXPECT_EQ(bench.objection(), "topology.bridges.rot.below");
  bench.bridge("top").link = "fast";
  EXPECT_EQ(bench.objection(), "topology.bridges.top.link");
  bench.bridge("top").link.clear();
  bench.params.topology.reserved["r"].first = 1;
  EXPECT_EQ(bench.objection(), "topology.reserved.r.first");
  bench.params.topology.reserved["r"] = {ReservedKind::kMsi, "z", 0, 4096};
  EXPECT_EQ(bench.objection(), "topology.reserved.r.device");
  bench.params.topology.reserved.clear();
  bench.bridge("rot").kind = BridgeKind::kPci;
  bench.params.devices["a"].atc.present = true;
  EXPECT_EQ(bench.objection(), "devices.a.atc.present");
  bench.params.bus.kind = bus::BusKind::kShared;
  EXPECT_EQ(bench.objection(), "topology.bridges.rot");
}

}  // namespace
}  // namespace iommusim::platform
