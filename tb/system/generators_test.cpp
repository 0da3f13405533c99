// SPDX-License-Identifier: Apache-2.0
// Generators end to end: patterns through bus, IOMMU and memory, with address spaces and mappings made by a program.
#include <gtest/gtest.h>

#include "program.h"

namespace iommusim::system_test {
namespace {

TEST(Generators, ASequentialStreamMissesOnceAPage) {
  const std::string device =
      "{kind: sequential, traffic: {count: 8000}, sequential: {window_bytes: 1 MiB, request_bytes: 512}}";
  const Stats stats = run_device(device);
  EXPECT_EQ(stats["run.transfers"], 8000U);
  EXPECT_EQ(stats["run.failed_transfers"], 0U);
  EXPECT_EQ(stats["run.bytes_moved"], 8000 * 512U);
  EXPECT_EQ(stats["iommu.walks.started"], 1000U) << "eight DMAs a page, and 64 entries hold nothing until the wrap";
}

TEST(Generators, FlowsWithSpacesOfTheirOwnOrOne) {
  const std::string device = "{kind: sequential, traffic: {count: 3000}, sequential: {flows: 6, own_spaces: ";
  const Stats own = run_device(device + "true}}");
  EXPECT_EQ(own["software.ioas_alloc.calls"], 6U);
  EXPECT_EQ(own["run.failed_transfers"], 0U);
  const Stats shared = run_device(device + "false}}");
  EXPECT_EQ(shared["software.ioas_alloc.calls"], 1U);
  EXPECT_EQ(shared["run.failed_transfers"], 0U);
}

TEST(Generators, TilesInRowsReachMorePagesThanALine) {
  const std::string device =
      "{kind: tiles, traffic: {count: 20000}, tiles: {width_bytes: 4096, pitch_bytes: 4096, rows: 1024, order: ";
  const Stats rows = run_device(device + "rows, tile_rows: 16}}");
  const Stats tall = run_device(device + "rows, tile_rows: 128}}");
  EXPECT_EQ(rows["run.failed_transfers"], 0U);
  EXPECT_LT(20 * rows["iommu.walks.started"], 3 * tall["iommu.walks.started"])
      << "a tile of 16 rows fits into 64 entries and is used 16 times, one of 128 does not";
}

TEST(Generators, ScatteredLanesMissMoreThanCoalescedOnes) {
  const std::string device = "{kind: gpu, traffic: {count: 6000}, gpu: {window_bytes: 16 MiB, coalesced_percent: ";
  const Stats coalesced = run_device(device + "100}}");
  const Stats scattered = run_device(device + "0}}");
  const Stats local = run_device(device + "0, scatter_bytes: 16 KiB}}");
  EXPECT_EQ(coalesced["run.bytes_moved"], 6000 * 128U);
  EXPECT_EQ(scattered["run.bytes_moved"], 6000 * 32U);
  EXPECT_LT(4 * local["iommu.walks.started"], scattered["iommu.walks.started"]);
}

TEST(Generators, TenantsShareIovasButNotPages) {
  const std::string device =
      "{kind: tenants, traffic: {count: 4000, read_percent: 0, interval_ns: 50}, tenants: {tenants: 8, patterns: "
      "[sequential, gpu, tiles], same_iovas: ";
  const Stats same = run_device(device + "true}}", {"software.buffer_digest=true"});
  EXPECT_EQ(same["software.ioas_alloc.calls"], 8U);
  EXPECT_EQ(same["run.failed_transfers"], 0U);
  EXPECT_GE(same["run.simulated_ps"], 4000 * 50'000U);
  EXPECT_EQ(run_device(device + "false}}")["run.failed_transfers"], 0U);
}

TEST(Generators, ATooSmallAddressSpaceIsAnError) {
  const Folder folder;
  const Outcome outcome = call({"run", folder.write("s.yaml", R"(devices:
  d:
    kind: sequential
    sequential: {window_bytes: 4096, request_bytes: 8192}
)")});
  EXPECT_EQ(outcome.exit, 2);
  EXPECT_NE(outcome.err.find("s.yaml:4"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("expected at most window_bytes"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace iommusim::system_test
