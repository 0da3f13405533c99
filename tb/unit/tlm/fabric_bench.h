// SPDX-License-Identifier: Apache-2.0
// A bus of links between devices and an IOMMU that a test drives by hand.
#pragma once

#include "tlm/fabric.h"
#include "unit/tlm/raw_initiator.h"
#include "unit/tlm/raw_target.h"
#include "unit/tlm/sc_test.h"

namespace iommusim::sc_test {

/// 10 ns up, 20 ns down, 1 byte a ns each way, headers of 4 bytes (write), 2 (read), 3 (completion).
inline bus::PcieParams plain_link() {
  bus::PcieParams params;
  params.rate_bytes_per_s = 1'000'000'000;
  params.write_header_bytes = 4;
  params.read_header_bytes = 2;
  params.completion_header_bytes = 3;
  params.latency_up_ns = 10;
  params.latency_down_ns = 20;
  params.max_payload_bytes = params.max_read_request_bytes = 4096;
  return params;
}

/// Every device has the link; both hang on the host bridge.
inline bus::Fabric::Shape two_links(const bus::PcieParams& a, const bus::PcieParams& b) {
  bus::Fabric::Shape shape;
  shape.links = {{"a_link", bus::Fabric::kHostBridge, {1, a}, {}}, {"b_link", bus::Fabric::kHostBridge, {1, b}, {}}};
  shape.ports = {{"a_port", 0}, {"b_port", 1}};
  return shape;
}
inline bus::Fabric::Shape two_links(const bus::PcieParams& both) { return two_links(both, both); }

struct FabricBench {
  explicit FabricBench(const bus::Fabric::Shape& shape) : fabric("bus", shape, stats) {
    a.socket.bind(fabric.port(0));
    b.socket.bind(fabric.port(1));
    fabric.to_iommu().bind(iommu.socket);
  }
  ~FabricBench() {
    stats.advance(bus::now_ps());
    stats::check_identities(stats);
  }
  std::vector<bus::Picoseconds> arrivals() const {
    std::vector<bus::Picoseconds> times;
    for (const auto& request : iommu.requests) times.push_back(request.at);
    return times;
  }
  std::vector<std::uint64_t> addresses() const {
    std::vector<std::uint64_t> out;
    for (const auto& request : iommu.requests) out.push_back(request.address);
    return out;
  }
  stats::Group stats{"test"};
  bus::Fabric fabric;
  RawInitiator a{"a"}, b{"b"};
  RawTarget iommu{"iommu"};
};

/// The count-th request is at the IOMMU at `time` and not a picosecond before.
inline void expect_arrival(FabricBench& bench, std::size_t count, bus::Picoseconds time) {
  run_to(time - 1);
  EXPECT_EQ(bench.iommu.requests.size(), count - 1);
  run_to(time);
  ASSERT_EQ(bench.iommu.requests.size(), count);
}
/// The answer is at the device at `time` and not a picosecond before.
inline void expect_answer(const RawInitiator& device, const bus::Payload& payload, bus::Picoseconds time) {
  run_to(time - 1);
  EXPECT_EQ(device.answered(payload), bus::kNever);
  run_to(time);
  EXPECT_EQ(device.answered(payload), time);
}

}  // namespace iommusim::sc_test
