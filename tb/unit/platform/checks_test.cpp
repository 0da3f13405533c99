// SPDX-License-Identifier: Apache-2.0
#include "platform/checks.h"

#include <gtest/gtest.h>

namespace iommusim::platform {
namespace {

SystemParams good() {
  SystemParams params;
  params.devices["generator"].kind = DeviceKind::kUniform;
  return params;
}

/// The parameter that the check objects to; empty: none.
std::string objection(const SystemParams& params) {
  try {
    check(params);
    return "";
  } catch (const ParameterError& error) {
    return error.path();
  }
}

TEST(Checks, DefaultsWithAGeneratorAreGood) { EXPECT_EQ(objection(good()), ""); }

TEST(Checks, PagingNeedsAnAtcAndSoftwareThatUsesIt) {
  SystemParams params = good();
  params.devices["generator"].kind = DeviceKind::kPaging;
  EXPECT_EQ(objection(params), "devices.generator.atc.present");
  params.devices["generator"].atc.present = true;
  EXPECT_EQ(objection(params), "software.ats");
  params.software.ats = true;
  EXPECT_EQ(objection(params), "software.ats") << "the IOMMU has none";
  params.iommu.implementation.ats = true;
  EXPECT_EQ(objection(params), "");
  params.devices["generator"].paging.resident_bytes = 4096;
  EXPECT_EQ(objection(params), "devices.generator.paging.resident_bytes");
  params.devices["generator"].paging.resident_bytes = 0;
  params.devices["generator"].atc.pri = false;
  EXPECT_EQ(objection(params), "devices.generator.atc.pri");
  params.devices["generator"].kind = DeviceKind::kUniform;
  EXPECT_EQ(objection(params), "");
  params.devices["generator"].atc.cache.ways = 7;
  EXPECT_EQ(objection(params), "devices.generator.atc.cache.ways");
}

TEST(Checks, TablesNeedRoomAndGeneratorsThatNeedNoDriver) {
  SystemParams params = good();
  params.software.stack = Stack::kTables;
  EXPECT_EQ(objection(params), "");
  params.software.tables.second_stage = spec::iohgatp_mode::kSv39x4;
  params.memory.physical_bits = 32;
  params.software.kernel_memory_bytes = 1 << 20;
  EXPECT_EQ(objection(params), "memory.physical_bits");
  params.memory.physical_bits = 33;
  EXPECT_EQ(objection(params), "");
  params.software.tables.process_directory = spec::pdtp_mode::kPd8;
  params.software.tables.process = 256;
  EXPECT_EQ(objection(params), "software.tables.process");
  params.software.tables.process = 255;
  EXPECT_EQ(objection(params), "");
  params.devices["generator"].kind = DeviceKind::kReplay;
  EXPECT_EQ(objection(params), "devices.generator.kind");
}

TEST(Checks, BarsArePowersOfTwoBehindMemoryAndApart) {
  SystemParams params = good();
  bus::PeerBarParams& bar = params.devices["generator"].bar;
  bar.bytes = 1 << 20;
  EXPECT_EQ(objection(params), "");
  bar.first = (1ULL << 40) - (1 << 20);
  EXPECT_EQ(objection(params), "devices.generator.bar.first") << "the last of memory";
  bar.first = 1ULL << 40;
  EXPECT_EQ(objection(params), "") << "the first behind it";
  bar.first += 4096;
  EXPECT_EQ(objection(params), "devices.generator.bar.first");
  bar.first = 1ULL << 40;
  bar.bytes = 3 << 12;
  EXPECT_EQ(objection(params), "devices.generator.bar.bytes");
  bar.bytes = 1 << 20;
  params.iommu.implementation.pas = 40;
  EXPECT_EQ(objection(params), "devices.generator.bar.first");
  params.iommu.implementation.pas = 41;
  EXPECT_EQ(objection(params), "");
  DeviceParams& other = params.devices["other"];
  other.kind = DeviceKind::kUniform;
  other.bar = {1 << 20, (1ULL << 40) + (1 << 20), 0};
  EXPECT_EQ(objection(params), "") << "the next one";
  other.bar = {1 << 21, 1ULL << 40, 0};
  EXPECT_EQ(objection(params), "devices.other.bar.first");
}

TEST(Checks, APeerIsAnotherDeviceWithABarAndItsWindowIsOnTables) {
  SystemParams params = good();
  params.devices["generator"].window.peer = "other";
  EXPECT_EQ(objection(params), "devices.generator.window.peer");
  params.software.stack = Stack::kTables;
  EXPECT_EQ(objection(params), "devices.generator.window.peer");
  params.devices["other"].kind = DeviceKind::kUniform;
  params.devices["other"].bar.bytes = 4096;
  EXPECT_EQ(objection(params), "");
  params.devices["generator"].bar = {4096, 1ULL << 45, 0};
  params.devices["generator"].window.peer = "generator";
  EXPECT_EQ(objection(params), "devices.generator.window.peer") << "itself";
}

TEST(Checks, PacketsNeedTablesAndAnAtc) {
  SystemParams params = good();
  DeviceParams& device = params.devices["generator"];
  device.kind = DeviceKind::kPackets;
  EXPECT_EQ(objection(params), "devices.generator.kind");
  params.software.stack = Stack::kTables;
  EXPECT_EQ(objection(params), "devices.generator.atc.present");
  device.atc.present = true;
  EXPECT_EQ(objection(params), "software.ats");
  params.software.ats = params.iommu.implementation.ats = true;
  EXPECT_EQ(objection(params), "");
  device.packets.data.iova += 4096;
  EXPECT_EQ(objection(params), "devices.generator.packets.data.iova");
  device.packets.data.page_bytes = 8192;
  EXPECT_EQ(objection(params), "devices.generator.packets.data.page_bytes");
  device.packets.data.page_bytes = 4096;
  EXPECT_EQ(objection(params), "");
  device.packets.ring.bytes = 100;
  EXPECT_EQ(objection(params), "devices.generator.packets.ring.bytes");
}

TEST(Checks, FlowsHaveWholePagesBetweenThem) {
  SystemParams params = good();
  devices::UniformParams& uniform = params.devices["generator"].uniform;
  uniform.flow_stride_bytes = uniform.window_bytes + 1;
  EXPECT_EQ(objection(params), "devices.generator.uniform.flow_stride_bytes");
  uniform.flow_stride_bytes = uniform.window_bytes - 4096;
  EXPECT_EQ(objection(params), "devices.generator.uniform.flow_stride_bytes");
  uniform.flow_stride_bytes = uniform.window_bytes;
  EXPECT_EQ(objection(params), "");
}

TEST(Checks, RecordedInvalidationsNeedTheKernelAndTheKernelNeedsDriversItHas) {
  SystemParams params = good();
  params.software.stack = Stack::kKernel;
  EXPECT_EQ(objection(params), "devices.generator.kind");
  params = {};
  params.devices["r"].trace = "/dev/null";
  params.devices["r"].replay.invalidations = devices::ReplayInvalidations::kRecorded;
  EXPECT_EQ(objection(params), "devices.r.replay.invalidations");
  params.software.stack = Stack::kKernel;
  EXPECT_EQ(objection(params), "");
}

TEST(Checks, OwnIovasNeedTheKernelAndNothingRecorded) {
  SystemParams params;
  DeviceParams& device = params.devices["r"];
  device.trace = "/dev/null";
  device.replay.iovas = devices::ReplayIovas::kOwn;
  EXPECT_EQ(objection(params), "devices.r.replay.iovas");
  params.software.stack = Stack::kKernel;
  EXPECT_EQ(objection(params), "");
  device.replay.unmapped = devices::UnmappedAccess::kFault;
  EXPECT_EQ(objection(params), "devices.r.replay.unmapped");
  device.replay.unmapped = devices::UnmappedAccess::kSkip;
  device.replay.invalidations = devices::ReplayInvalidations::kRecorded;
  EXPECT_EQ(objection(params), "devices.r.replay.invalidations");
}

TEST(Checks, NameTheParameterThatIsWrong) {
  SystemParams params = good();
  params.iommu.engine.iotlb = {10, 4, timing::Policy::kLru, 1, 1};
  EXPECT_EQ(objection(params), "iommu.engine.iotlb.ways");

  params = good();
  params.iommu.engine.walk_cache.second_stage.level2 = {6, 0, timing::Policy::kTreePlru, 0, 1};
  EXPECT_EQ(objection(params), "iommu.engine.walk_cache.second_stage.level2.ways");

  params = good();
  params.software.address_bits = 40;
  EXPECT_EQ(objection(params), "software.address_bits");

  params = good();
  params.memory.physical_bits = params.iommu.implementation.pas + 1;
  EXPECT_EQ(objection(params), "memory.physical_bits");

  params = good();
  params.iommu.implementation.sv39 = false;  // sv48 needs it
  EXPECT_EQ(objection(params), "iommu.implementation");

  params = good();
  params.devices["generator"].uniform.bdf = "0:1";
  EXPECT_EQ(objection(params), "devices.generator.uniform.bdf");

  params = good();
  params.devices["iommu"] = params.devices["generator"];
  EXPECT_EQ(objection(params), "devices.iommu");

  params = good();
  params.devices["trace"].kind = DeviceKind::kReplay;
  EXPECT_EQ(objection(params), "devices.trace.trace");
}

}  // namespace
}  // namespace iommusim::platform
