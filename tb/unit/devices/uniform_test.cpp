// SPDX-License-Identifier: Apache-2.0
#include "devices/uniform.h"

#include "tlm/dma_bus.h"
#include "tlm/memory.h"
#include "tlm/protocol_checker.h"
#include "unit/tlm/raw_target.h"
#include "unit/tlm/sc_test.h"

namespace iommusim::devices {
namespace {

using sc_test::RawTarget;
using sc_test::run_to;

/// What a run leaves behind.
struct Trail {
  base::Picoseconds ended = 0;
  std::uint64_t responses = 0;
  std::uint64_t window = 0;  ///< checksum
  friend bool operator==(const Trail& a, const Trail& b) {
    return a.ended == b.ended && a.responses == b.responses && a.window == b.window;
  }
};

/// Generators -> bus -> memory, without translation.
Trail run_chain(std::uint64_t seed, std::uint64_t latency_ns) {
  stats::Group stats("test");
  UniformParams params;
  params.count = 500;
  params.request_bytes = 200;
  params.alignment = 1;
  params.window_bytes = 64 * 1024;
  bus::MemoryParams memory_params;
  memory_params.physical_bits = 24;
  memory_params.latency_ns = latency_ns;
  Uniform a("a", params, seed, stats);
  params.bdf = "00:02.0";
  Uniform b("b", params, seed + 1, stats);
  bus::DmaBus dma_bus("bus", {}, {"a", "b"}, stats);
  bus::Memory memory("memory", memory_params, {"dma"}, stats);
  bus::ProtocolChecker device_side("device_side"), memory_side("memory_side");
  a.socket().bind(device_side.from_initiator);
  device_side.to_target.bind(dma_bus.port(0));
  b.socket().bind(dma_bus.port(1));
  dma_bus.to_iommu().bind(memory_side.from_initiator);
  memory_side.to_target.bind(memory.port(0));
  Trail trail;
  unsigned left = 2;
  const auto done = [&] {
    if (--left == 0) trail.ended = bus::now_ps();
  };
  a.start(0x100000, done);
  b.start(0x200000, done);
  sc_test::run_out();
  EXPECT_EQ(left, 0U);
  for (auto* checker : {&device_side, &memory_side}) {
    checker->finish();
    EXPECT_EQ(checker->violations(), std::vector<std::string>{});
  }
  stats.advance(bus::now_ps());
  stats::check_identities(stats);
  EXPECT_EQ(a.master().payloads().in_use(), 0U);
  std::vector<std::uint8_t> window(params.window_bytes);
  trail.responses = a.digest().responses + 3 * b.digest().responses;
  for (const std::uint64_t base : {0x100000, 0x200000}) {
    memory.store().read(base, window.data(), window.size());
    trail.window += checksum(base, window.data(), window.size());
  }
  return trail;
}

/// The same in a process of its own, as SystemC elaborates once.
Trail run_apart(std::uint64_t seed, std::uint64_t latency_ns) {
  return sc_test::made_in_child<Trail>([&] { return run_chain(seed, latency_ns); });
}

TEST(Uniform, SameSeedSameBits) {
  const Trail first = run_apart(1, 80);
  EXPECT_NE(first.ended, 0U);
  EXPECT_TRUE(first == run_apart(1, 80));
  EXPECT_FALSE(first == run_apart(5, 80));
}

TEST(Uniform, OtherTimingSameWindowAndResponses) {
  const Trail first = run_apart(1, 80);
  const Trail slow = run_apart(1, 500);
  EXPECT_NE(first.ended, slow.ended);
  EXPECT_EQ(first.window, slow.window);
  EXPECT_EQ(first.responses, slow.responses);
}

SC_TEST(Uniform, IntervalNs) {
  stats::Group stats("test");
  UniformParams params;
  params.interval_ns = 100;
  params.count = 3;
  params.read_percent = 0;
  params.window_bytes = 64;
  Uniform generator("generator", params, 1, stats);
  RawTarget target("target");
  target.answer = RawTarget::Answer::kComplete;
  generator.socket().bind(target.socket);
  bool done = false;
  run_to(5'000);
  generator.start(0x4000, [&] { done = true; });
  run_to(5'000);
  EXPECT_EQ(target.requests.size(), 1U);
  run_to(104'999);
  EXPECT_EQ(target.requests.size(), 1U);
  run_to(105'000);
  EXPECT_EQ(target.requests.size(), 2U);
  EXPECT_FALSE(done);
  run_to(205'000);
  EXPECT_TRUE(done);
  EXPECT_TRUE(generator.finished());
  EXPECT_EQ(generator.master().statistics().bytes_written.value(), 192U);
}

SC_TEST(Uniform, IntervalPs) {
  stats::Group stats("test");
  UniformParams params;
  params.interval_ns = 1;
  params.interval_ps = 500;
  params.count = 2;
  params.window_bytes = 64;
  Uniform generator("generator", params, 1, stats);
  RawTarget target("target");
  target.answer = RawTarget::Answer::kComplete;
  generator.socket().bind(target.socket);
  run_to(5'000);
  generator.start(0x4000, [] {});
  run_to(6'499);
  EXPECT_EQ(target.requests.size(), 1U);
  run_to(6'500);
  EXPECT_EQ(target.requests.size(), 2U);
}

SC_TEST(Uniform, LeadIn) {
  stats::Group stats("test");
  UniformParams params;
  params.lead_in = 2;
  params.count = 4;
  params.window_bytes = 64;
  Uniform generator("generator", params, 1, stats);
  RawTarget target("target");
  target.answer = RawTarget::Answer::kAccept;
  generator.socket().bind(target.socket);
  generator.start(0x4000, [] {});
  run_to(1'000);
  ASSERT_EQ(target.requests.size(), 1U);
  target.respond(0);
  run_to(2'000);
  ASSERT_EQ(target.requests.size(), 2U);
  target.respond(1);
  run_to(3'000);
  EXPECT_EQ(target.requests.size(), 4U) << "not one by one any more";
}

/// The addresses that a generator asks for, without the base.
std::vector<std::uint64_t> addresses_of(const UniformParams& params) {
  stats::Group stats("test");
  Uniform generator("generator", params, 1, stats);
  RawTarget target("target");
  target.answer = RawTarget::Answer::kComplete;
  generator.socket().bind(target.socket);
  generator.start(0x10000, [] {});
  sc_test::run_out();
  std::vector<std::uint64_t> addresses;
  for (const auto& request : target.requests) addresses.push_back(request.address - 0x10000);
  return addresses;
}

SC_TEST(Uniform, OrderSequentialBeginsAgainAtTheEnd) {
  UniformParams params;
  params.order = Order::kSequential;
  params.window_bytes = 300;
  params.request_bytes = 64;
  params.alignment = 100;
  params.count = 5;
  params.outstanding = 1;
  EXPECT_EQ(addresses_of(params), (std::vector<std::uint64_t>{0, 100, 200, 0, 100}));
}

SC_TEST(Uniform, FlowsTakeTurnsFlowStrideBytesApart) {
  UniformParams params;
  params.order = Order::kSequential;
  params.window_bytes = 128;
  params.flows = 2;
  params.flow_stride_bytes = 8192;
  params.count = 5;
  params.outstanding = 1;
  EXPECT_EQ(params.span_bytes(), 8192U + 128);
  EXPECT_EQ(addresses_of(params), (std::vector<std::uint64_t>{0, 8192, 64, 8192 + 64, 0}));
}

SC_TEST(Uniform, FlowsWithoutAStrideLieSideBySide) {
  UniformParams params;
  params.window_bytes = 64;
  params.flows = 3;
  params.count = 4;
  params.outstanding = 1;
  EXPECT_EQ(addresses_of(params), (std::vector<std::uint64_t>{0, 4096, 8192, 0}));
}

SC_TEST(Uniform, StaysInsideTheWindow) {
  stats::Group stats("test");
  UniformParams params;
  params.window_bytes = 1000;
  params.request_bytes = 96;
  params.alignment = 3;
  params.count = 4000;
  Uniform generator("generator", params, 9, stats);
  RawTarget target("target");
  target.answer = RawTarget::Answer::kComplete;
  generator.socket().bind(target.socket);
  generator.start(0x10000, [] {});
  sc_test::run_out();
  std::uint64_t lowest = ~0ULL, highest = 0;
  ASSERT_EQ(generator.master().statistics().completed.value(), 4000U);
  for (const auto& request : target.requests) {
    lowest = std::min(lowest, request.address);
    highest = std::max(highest, request.address + request.bytes);
  }
  EXPECT_GE(lowest, 0x10000U);
  EXPECT_LE(highest, 0x10000U + 1000);
  EXPECT_EQ(lowest, 0x10000U);  // 4000 draws from 302 places
}

SC_TEST(Uniform, ParametersThatContradictEachOther) {
  stats::Group stats("test");
  UniformParams params;
  params.window_bytes = 32;
  EXPECT_THROW(Uniform("generator", params, 1, stats), base::InputError);
  params = UniformParams{};
  params.bdf = "00:20.0";
  EXPECT_THROW(Uniform("generator", params, 1, stats), base::InputError);
}

}  // namespace
}  // namespace iommusim::devices
