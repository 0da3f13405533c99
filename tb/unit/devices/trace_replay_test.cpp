// SPDX-License-Identifier: Apache-2.0
#include "devices/trace_replay.h"

#include <gmock/gmock.h>

#include "tlm/memory.h"
#include "unit/tlm/raw_target.h"
#include "unit/tlm/sc_test.h"

namespace iommusim::devices {
namespace {

using sc_test::RawTarget;
using sc_test::run_to;

constexpr traces::Source kNvme{0, 0x18};
constexpr traces::Source kNic{0, 0x20};

std::unique_ptr<traces::Reader> trace_of(const std::string& text) {
  return std::make_unique<traces::Reader>("t.csv", traces::open_memory(text));
}

/// Software that answers when told, or after `latency`.
struct FakeSoftware : bus::TimedModule, ReplaySoftware {
  explicit FakeSoftware(const sc_core::sc_module_name& name) : TimedModule(name) {}
  void request(const traces::Event& event) override {
    events.push_back(event);
    asked_at.push_back(bus::now_ps());
    if (latency == 0) return replay->software_done();
    if (latency != bus::kNever) wake_at(bus::now_ps() + latency);
  }
  void finished() override { ++ends; }
  std::uint64_t address(const traces::Event& access) const override { return access.iova + moved_by; }
  base::Picoseconds work(base::Picoseconds) override {
    replay->software_done();
    return bus::kNever;
  }
  TraceReplay* replay = nullptr;
  std::uint64_t moved_by = 0;
  base::Picoseconds latency = 0;
  std::vector<traces::Event> events;
  std::vector<base::Picoseconds> asked_at;
  unsigned ends = 0;
};

struct ReplayBench {
  ReplayBench(const TraceReplayParams& params, const std::string& trace)
      : replay("replay", params, trace_of(trace), {kNvme, kNic}, software, stats) {
    software.replay = &replay;
    replay.socket(0).bind(nvme.socket);
    replay.socket(1).bind(nic.socket);
  }
  void start() {
    replay.start();
    run_to(0);
  }
  stats::Group stats{"test"};
  FakeSoftware software{"software"};
  TraceReplay replay;
  RawTarget nvme{"nvme"}, nic{"nic"};
};

SC_TEST(TraceReplay, OutstandingOneIsStrictlyInOrder) {
  TraceReplayParams params;
  params.outstanding = 1;
  ReplayBench bench(params,
                    "0,00:03.0,M,0x1000,8192,0x1000\n0,00:04.0,M,0x1000,4096,0x5000\n"
                    "5,00:03.0,R,0x1ff0,32,\n5,00:04.0,W,0x1000,8,\n6,00:03.0,X,0x1000,4,\n");
  bench.start();
  ASSERT_EQ(bench.nvme.requests.size(), 1U);  // the read crosses a page: its parts go one after the other, too
  bench.nvme.respond(0);
  run_to(1'000);
  ASSERT_EQ(bench.nvme.requests.size(), 2U);
  EXPECT_EQ(bench.nvme.requests[1].address, 0x2000U);
  EXPECT_EQ(bench.nic.requests.size(), 0U);
  bench.nvme.respond(1);
  run_to(2'000);
  ASSERT_EQ(bench.nic.requests.size(), 1U);
  EXPECT_TRUE(bench.nic.requests[0].write);
  EXPECT_EQ(bus::dma_of(*bench.nic.requests[0].payload).device, base::DeviceId(0x20));
  EXPECT_EQ(bench.nvme.requests.size(), 2U);
  bench.nic.respond(0);
  run_to(3'000);
  ASSERT_EQ(bench.nvme.requests.size(), 3U);
  EXPECT_FALSE(bench.nvme.requests[2].write);
  EXPECT_EQ(bench.software.ends, 0U);
  bench.nvme.respond(2);
  run_to(4'000);
  EXPECT_EQ(bench.software.ends, 1U);
  EXPECT_TRUE(bench.replay.finished());
}

SC_TEST(TraceReplay, EventsWaitForSoftware) {
  ReplayBench bench({}, "0,00:03.0,M,0x1000,4096,0x1000\n0,00:03.0,I,0x0,0,\n0,00:03.0,R,0x1000,8,\n");
  bench.software.latency = 500;
  bench.start();
  run_to(499);
  EXPECT_EQ(bench.nvme.requests.size(), 0U);
  run_to(500);
  EXPECT_EQ(bench.nvme.requests.size(), 1U);
  EXPECT_EQ(bench.replay.statistics().invalidations.value(), 1U);
  EXPECT_EQ(bench.replay.statistics().software_ps.value(), 500U);
}

SC_TEST(TraceReplay, RecordedInvalidationsAreGivenToSoftware_invalidations) {
  TraceReplayParams params;
  params.invalidations = ReplayInvalidations::kRecorded;
  ReplayBench bench(params,
                    "0,00:03.0,M,0x1000,4096,0x1000\n0,00:03.0,R,0x1000,8,\n0,00:03.0,I,0x1000,8192,\n"
                    "0,00:04.0,I,0x0,0,\n0,00:03.0,R,0x1000,8,\n");
  bench.software.latency = 500;
  bench.start();
  run_to(999);
  ASSERT_EQ(bench.software.events.size(), 2U);  // the access in flight holds nothing up
  EXPECT_EQ(bench.software.events[1].op, traces::Op::kInvalidate);
  EXPECT_EQ(bench.software.events[1].bytes, 8192U);
  run_to(1'499);
  ASSERT_EQ(bench.software.events.size(), 3U);
  EXPECT_EQ(bench.software.events[2].source, kNic);
  EXPECT_EQ(bench.nvme.requests.size(), 1U);
  run_to(1'500);
  EXPECT_EQ(bench.nvme.requests.size(), 2U);
  EXPECT_EQ(bench.replay.statistics().invalidations.value(), 2U);
}

SC_TEST(TraceReplay, AccessesGoWhereSoftwareSaysAndCarryWhatTheTraceSays) {
  const std::string trace = "0,00:03.0,M,0x1000,4096,0x1000\n0,00:03.0,W,0x1010,8,\n";
  ReplayBench bench({}, trace);
  bench.software.moved_by = 0x7000;
  bench.start();
  ASSERT_EQ(bench.nvme.requests.size(), 1U);
  EXPECT_EQ(bench.nvme.requests[0].address, 0x8010U);
  std::uint8_t expected[8];
  fill_pattern(pattern_key(kNvme.key(), 2), 0x1010, expected, 8);
  EXPECT_EQ(std::vector<std::uint8_t>(expected, expected + 8),
            std::vector<std::uint8_t>(bench.nvme.requests[0].payload->get_data_ptr(),
                                      bench.nvme.requests[0].payload->get_data_ptr() + 8));
}

SC_TEST(TraceReplay, UnmapWaitsForWhatOverlapsItOnly) {
  ReplayBench bench({},
                    "0,00:03.0,M,0x1000,4096,0x1000\n0,00:03.0,M,0x2000,4096,0x2000\n0,00:04.0,M,0x1000,4096,0x3000\n"
                    "0,00:03.0,R,0x1000,8,\n0,00:04.0,R,0x1000,8,\n0,00:03.0,R,0x2ff8,8,\n"
                    "0,00:03.0,U,0x2000,4096,\n0,00:04.0,M,0x9000,4096,0x9000\n");
  bench.start();
  EXPECT_EQ(bench.software.events.size(), 3U);
  run_to(100);
  bench.nvme.respond(0);
  bench.nic.respond(0);
  run_to(200);
  EXPECT_EQ(bench.software.events.size(), 3U);
  bench.nvme.respond(1);
  run_to(300);
  ASSERT_EQ(bench.software.events.size(), 5U);
  EXPECT_EQ(bench.software.events[3].op, traces::Op::kUnmap);
  EXPECT_EQ(bench.software.asked_at[3], 200U);
}

SC_TEST(TraceReplay, UnmapDoesNotWaitForOthers) {
  ReplayBench bench({},
                    "0,00:03.0,M,0x1000,8192,0x1000\n0,00:03.0,M,0x8000,4096,0x1000\n"
                    "0,00:03.0,W,0x1000,8192,\n0,00:03.0,U,0x8000,4096,\n");
  bench.start();
  EXPECT_EQ(bench.replay.in_flight(), 1U);
  EXPECT_EQ(bench.software.events.size(), 3U);
}

SC_TEST(TraceReplay, OrderConflicts) {
  ReplayBench bench({},
                    "0,00:03.0,M,0x1000,4096,0x1000\n0,00:03.0,R,0x1000,8,\n0,00:03.0,R,0x1000,8,\n"
                    "0,00:03.0,W,0x1007,8,\n0,00:03.0,R,0x1800,8,\n");
  bench.start();
  EXPECT_EQ(bench.nvme.requests.size(), 2U);  // reads do not conflict, the write waits for both
  bench.nvme.respond(1);
  run_to(100);
  EXPECT_EQ(bench.nvme.requests.size(), 2U);
  bench.nvme.respond(0);
  run_to(200);
  EXPECT_EQ(bench.nvme.requests.size(), 4U);
}

SC_TEST(TraceReplay, OrderNone) {
  TraceReplayParams params;
  params.order = ReplayOrder::kNone;
  ReplayBench bench(params, "0,00:03.0,M,0x1000,4096,0x1000\n0,00:03.0,W,0x1000,8,\n0,00:03.0,W,0x1000,8,\n");
  bench.start();
  EXPECT_EQ(bench.nvme.requests.size(), 2U);
}

SC_TEST(TraceReplay, TimingTraceAndTimeScale) {
  TraceReplayParams params;
  params.timing = ReplayTiming::kTrace;
  params.time_scale = 0.25;
  ReplayBench bench(params, "100,00:03.0,M,0x1000,4096,0x1000\n180,00:03.0,R,0x1000,8,\n");
  run_to(1'000'000);
  bench.replay.start();
  run_to(1'019'999);
  EXPECT_EQ(bench.software.asked_at, std::vector<base::Picoseconds>{1'000'000});  // the first event is at the start
  EXPECT_EQ(bench.nvme.requests.size(), 0U);
  run_to(1'020'000);
  EXPECT_EQ(bench.nvme.requests.size(), 1U);
}

constexpr char kUnmappedTrace[] =
    "0,00:03.0,M,0x1000,4096,0x1000\n0,00:03.0,U,0x1000,4096,\n0,00:03.0,R,0x1000,8,\n0,00:04.0,M,0x1000,4096,0x1000\n";

SC_TEST(TraceReplay, UnmappedErrorNamesTheLine) {
  ReplayBench bench({}, kUnmappedTrace);
  try {
    bench.start();
    ADD_FAILURE() << "an unmapped access was accepted";
  } catch (const base::InputError& error) {
    EXPECT_THAT(error.what(), ::testing::StartsWith("t.csv:3: "));
  }
}

SC_TEST(TraceReplay, UnmappedFault) {
  TraceReplayParams params;
  params.unmapped = UnmappedAccess::kFault;
  ReplayBench bench(params, kUnmappedTrace);
  bench.start();
  ASSERT_EQ(bench.nvme.requests.size(), 1U);
  bus::dma_of(*bench.nvme.requests[0].payload).response = translate::Response::kUnsupportedRequest;
  bench.nvme.respond(0, 0, ::tlm::TLM_GENERIC_ERROR_RESPONSE);
  run_to(100);
  Digest expected;
  expected.add_response(3, translate::Response::kUnsupportedRequest);
  EXPECT_EQ(bench.replay.digest().responses, expected.responses);
  EXPECT_EQ(bench.replay.digest().reads, 0U);
  EXPECT_EQ(bench.replay.statistics().unmapped.value(), 1U);
  EXPECT_EQ(bench.software.ends, 1U);
}

SC_TEST(TraceReplay, UnmappedSkip) {
  TraceReplayParams params;
  params.unmapped = UnmappedAccess::kSkip;
  ReplayBench bench(params, kUnmappedTrace);
  bench.start();
  EXPECT_EQ(bench.nvme.requests.size(), 0U);
  EXPECT_EQ(bench.replay.statistics().skipped.value(), 1U);
  EXPECT_EQ(bench.software.events.size(), 3U);
  EXPECT_EQ(bench.software.ends, 1U);
}

SC_TEST(TraceReplay, MaxEvents) {
  TraceReplayParams params;
  params.max_events = 2;
  ReplayBench bench(params, kUnmappedTrace);
  bench.start();
  EXPECT_EQ(bench.replay.events(), 2U);
  EXPECT_EQ(bench.software.ends, 1U);
}

SC_TEST(TraceReplay, RefusesASourceWithoutPort) {
  ReplayBench bench({}, "0,00:03.0,M,0x1000,4096,0x1000\n1,00:05.0,R,0x1000,8,\n");
  EXPECT_THROW(bench.start(), base::InputError);
}

/// Rings, buffers that are mapped anew, accesses that overlap: what the digests and the memory are at the end.
struct Ending {
  std::uint64_t responses;
  std::uint64_t reads;
  std::uint64_t memory;
  base::Picoseconds time;
};

Ending replay_on_memory(std::uint32_t outstanding, std::uint32_t split_bytes, std::uint64_t latency_ns) {
  std::string trace = "0,00:03.0,M,0x100000,65536,0x100000\n0,00:04.0,M,0x200000,65536,0x200000\n";
  for (unsigned i = 0; i < 200; ++i) {
    const auto line = [&](const char* source, char op, std::uint64_t iova, unsigned bytes) {
      char text[96];
      std::snprintf(text, sizeof text, "%u,%s,%c,0x%lx,%u,%s\n", i, source, op, iova, bytes,
                    op == 'M' ? "0x300000" : "");
      trace += text;
    };
    const std::uint64_t slot = i * 7919 % 997 * 64;
    line("00:03.0", 'W', 0x100000 + slot, 1500);
    line("00:03.0", 'R', 0x100000 + slot / 2, 100 + i);
    line("00:04.0", i % 3 == 0 ? 'W' : 'R', 0x200000 + slot, 16);
    line("00:04.0", 'M', 0x300000, 4096);
    line("00:04.0", 'W', 0x300000 + i, 700);
    line("00:04.0", 'U', 0x300000, 4096);
  }
  TraceReplayParams params;
  params.outstanding = outstanding;
  params.split_bytes = split_bytes;
  bus::MemoryParams memory_params;
  memory_params.physical_bits = 24;
  memory_params.latency_ns = latency_ns;
  stats::Group stats("test");
  FakeSoftware software("software");
  software.latency = 100'000;
  TraceReplay replay("replay", params, trace_of(trace), {kNvme, kNic}, software, stats);
  software.replay = &replay;
  bus::Memory memory("memory", memory_params, {"nvme", "nic"}, stats);
  replay.socket(0).bind(memory.port(0));
  replay.socket(1).bind(memory.port(1));
  replay.start();
  sc_test::run_out();
  EXPECT_EQ(software.ends, 1U);
  stats.advance(bus::now_ps());
  stats::check_identities(stats);
  std::vector<std::uint8_t> all(0x400000);
  memory.store().read(0, all.data(), all.size());
  return {replay.digest().responses, replay.digest().reads, checksum(0, all.data(), all.size()), bus::now_ps()};
}

TEST(TraceReplay, ResultsDoNotDependOnTiming) {
  const auto run = [](std::uint32_t outstanding, std::uint32_t split_bytes, std::uint64_t latency_ns) {
    return sc_test::made_in_child<Ending>([=] { return replay_on_memory(outstanding, split_bytes, latency_ns); });
  };
  const Ending strict = run(1, 4096, 80);
  EXPECT_NE(strict.memory, 0U);
  EXPECT_EQ(strict.time, run(1, 4096, 80).time);
  for (const Ending& other : {run(64, 4096, 80), run(7, 128, 80), run(64, 64, 1000)}) {
    EXPECT_NE(other.time, strict.time);
    EXPECT_EQ(other.responses, strict.responses);
    EXPECT_EQ(other.reads, strict.reads);
    EXPECT_EQ(other.memory, strict.memory);
  }
}

SC_TEST(TraceReplay, WritesCarryThePatternOfTheirEvent) {
  ReplayBench bench({}, "0,00:03.0,M,0x1000,8192,0x1000\n0,00:03.0,W,0x1ffd,9,\n");
  bench.start();
  ASSERT_EQ(bench.nvme.requests.size(), 2U);
  std::vector<std::uint8_t> expected(9), sent(9);
  fill_pattern(pattern_key(0x18, 2), 0x1ffd, expected.data(), 9);
  std::memcpy(sent.data(), bench.nvme.requests[0].payload->get_data_ptr(), 3);
  std::memcpy(sent.data() + 3, bench.nvme.requests[1].payload->get_data_ptr(), 6);
  EXPECT_EQ(sent, expected);
}

}  // namespace
}  // namespace iommusim::devices
