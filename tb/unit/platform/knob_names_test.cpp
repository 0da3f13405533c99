// SPDX-License-Identifier: Apache-2.0
// No parameter of buses, memory, devices and drivers without a test of its name, or a reason: as
// tb/unit/timing/knob_names_test.cpp for the engine. A test counts whose name has the parameter's in it, and that of
// its group (or what tests call the group) where several groups have a parameter of that name.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string_view>

#include "platform/params.h"
#include "unit/test_names.h"

namespace iommusim::platform {
namespace {

/// What a group is called in the names of tests.
const std::map<std::string, std::vector<std::string>> kCalled = {
    {"pcie", {"Fabric"}},
    {"axi", {"AxiPort"}},
    {"traffic", {"Generator", "Uniform"}},  // one class makes the DMA of both
    {"io", {"Nvme"}},
    {"bus", {"Bus"}},
    {"bridges", {"Fabric"}},
};

struct Exception {
  std::string_view path;  ///< with a dot in front and behind the names that must be there
  const char* why;
};
constexpr Exception kExceptions[] = {
    {".implementation.", "what the implementation has of the architecture: no time, tested with the rule in question"},
    {".engine.", "has a check of its own"},
    {".functional.", "of the functional engine, which has no time"},
    {".bdf.", "an address"},
    {".iova.", "an address"},
    {".first.", "an address"},
    {".bytes.", "a size of memory"},
    {".physical_bits.", "a size of memory"},
    {".dmi.", "a way of the simulator: IommuDirect, Memory"},
    {".window_bytes.", "what is asked for"},
    {".request_bytes.", "what is asked for"},
    {".access_bytes.", "what is asked for"},
    {".page_bytes.", "what is asked for"},
    {".count.", "what is asked for"},
    {".read_percent.", "what is asked for"},
    {".io_bytes.", "what is asked for"},
    {".packet_bytes.", "what is asked for"},
    {".receive_packets.", "what is asked for"},
    {".transmit_packets.", "what is asked for"},
    {".queues.", "what is asked for"},
    {".tiles.", "what is asked for: Tiles.RowsOfATileFollowEachOtherAndEdgesAreCut"},
    {".gpu.", "what is asked for: Gpu.*"},
    {".tenants.order.", "what is asked for: Tenants.WeightsByTurnOrByChance"},
    {".outstanding.", "of a device: DmaMaster.Outstanding"},
    {".split_bytes.", "DmaMaster.SplitBytes"},
    {".kind.", "chooses between machines that are tested each"},
    {".acs.", "isolation, no time: Topology.*"},
    {".atc.cache.", "the shape of all caches: Cache.*, AtcCache.*"},
    {".io.depth.", "what is asked for"},
    {".buffer_pages.", "a size of memory: BufferPool.*, NicQueueTest.APacketOfManyPiecesArrivesInOrder"},
    {".ring_entries.", "a size of memory: NvmeQueueTest.ReadsBringWhatWritesStoredOverManyTurnsOfTheQueue"},
    {".window.chunk_bytes.", "what software maps at once: DemandPaging.*"},
    {".paging.", "what software does about page faults: DemandPaging.*"},
    {".atc.present.", "Atc.SwitchedOffItPassesEverythingOn"},
    {".invalidation_depth.", "software's: DeviceAtc.NoMoreAreOutstandingThanTheDeviceQueues"},
    {".link.", "a name: Topology.*"},
    {".below.", "a name: Topology.*"},
};

using Paths = std::set<std::string>;

/// The paths of all parameters below, with dots around.
void collect(const std::string& above, const std::vector<params::Field>& fields, Paths& out) {
  for (const params::Field& field : fields) {
    const std::string path = above + field.name + ".";
    if (const auto* const group = std::get_if<params::GroupSlot>(&field.slot))
      collect(path, group->fields, out);
    else if (const auto* const map = std::get_if<params::MapSlot>(&field.slot))
      collect(path, map->prototype, out);
    else
      out.insert(path);
  }
}

struct Name {
  std::string parameter, group;
};
Name name_of(const std::string& path) {
  const std::size_t dot = path.rfind('.', path.size() - 2), before = path.rfind('.', dot - 1);
  return {path.substr(dot + 1, path.size() - dot - 2), path.substr(before + 1, dot - before - 1)};
}

TEST(KnobNames, EachParameterOfBusesMemoryDevicesAndDriversHasATestOfItsName) {
  SystemParams params;
  Paths all, paths;
  collect(".", params::fields_of(params), all);
  for (const std::string& path : all)
    for (const char* const root : {".iommu.", ".bus.", ".topology.", ".memory.", ".devices."})
      if (path.rfind(root, 0) == 0 && path.rfind(".bus.links.", 0) != 0) paths.insert(path);
  ASSERT_GT(paths.size(), 200U);
  std::map<std::string, Paths> groups;  // by parameter
  for (const std::string& path : paths) groups[name_of(path).parameter].insert(name_of(path).group);

  const auto tests = test_names::names_of_tests({"unit", "system"});
  std::set<std::string_view> needed;
  for (const std::string& path : paths) {
    const Name name = name_of(path);
    std::vector<std::string> called{name.group};
    if (const auto other = kCalled.find(name.group); other != kCalled.end()) called = other->second;
    if (groups[name.parameter].size() == 1) called = {""};
    bool tested = false;
    for (const std::string& group : called) tested |= test_names::one_has(tests, {name.parameter, group});
    if (tested) continue;
    const auto* const excepted =
        std::find_if(std::begin(kExceptions), std::end(kExceptions),
                     [&](const Exception& exception) { return path.find(exception.path, 1) != std::string::npos; });
    if (excepted == std::end(kExceptions))
      ADD_FAILURE() << path << " has no test of its name";
    else
      needed.insert(excepted->path);
  }
  for (const Exception& exception : kExceptions)
    EXPECT_TRUE(needed.count(exception.path)) << exception.path << " needs no exception: " << exception.why;
}

}  // namespace
}  // namespace iommusim::platform
