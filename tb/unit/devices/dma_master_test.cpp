// SPDX-License-Identifier: Apache-2.0
#include "devices/dma_master.h"

#include <gmock/gmock.h>

#include "tlm/protocol_checker.h"
#include "unit/tlm/raw_target.h"
#include "unit/tlm/sc_test.h"

namespace iommusim::devices {
namespace {

using sc_test::RawTarget;
using sc_test::run_to;
using translate::Response;

struct MasterBench : DmaClient {
  explicit MasterBench(const DmaLimits& limits) : master("master", limits, *this, stats) {
    master.socket().bind(checker.from_initiator);
    checker.to_target.bind(target.socket);
    run_to(1'000);
  }
  ~MasterBench() override {
    checker.finish();
    EXPECT_EQ(checker.violations(), std::vector<std::string>{});
    EXPECT_EQ(master.payloads().in_use(), 0U);
    stats.advance(bus::now_ps());
    stats::check_identities(stats);
  }
  void completed(const DmaRequest& request, Response response) override {
    ended.push_back(request.cookie);
    responses.push_back(response);
    if (on_completed) on_completed();
  }
  void ready() override { ++readies; }
  void consume(const DmaRequest&, std::uint64_t offset, const std::uint8_t*, std::uint32_t bytes) override {
    consumed.emplace_back(offset, bytes);
  }
  bool issue(std::uint64_t iova, std::uint64_t bytes, bool write = false) {
    DmaRequest request;
    request.iova = iova;
    request.bytes = bytes;
    request.write = write;
    request.device = base::DeviceId(0x18);
    request.cookie = ++cookie;
    return master.try_issue(request);
  }

  stats::Group stats{"test"};
  DmaMaster master;
  bus::ProtocolChecker checker{"checker"};
  RawTarget target{"target"};
  std::uint64_t cookie = 0;
  std::vector<std::uint64_t> ended;
  std::vector<Response> responses;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> consumed;
  unsigned readies = 0;
  std::function<void()> on_completed;
};

SC_TEST(DmaMaster, OnePartTravelsWithItsIdentity) {
  MasterBench bench({4, 4096});
  EXPECT_TRUE(bench.issue(0x1010, 32));
  ASSERT_EQ(bench.target.requests.size(), 1U);
  const auto& payload = *bench.target.requests[0].payload;
  EXPECT_EQ(payload.get_address(), 0x1010U);
  EXPECT_EQ(payload.get_data_length(), 32U);
  EXPECT_EQ(bus::dma_of(payload).device, base::DeviceId(0x18));
  bench.target.respond(0, 500);
  run_to(1'499);
  EXPECT_TRUE(bench.ended.empty());  // the response counts from 1'500
  run_to(1'500);
  EXPECT_EQ(bench.ended, std::vector<std::uint64_t>{1});
  EXPECT_EQ(bench.consumed.size(), 1U);
  EXPECT_EQ(bench.master.statistics().latency_ps.data().max(), 500U);
}

SC_TEST(DmaMaster, SplitBytes) {
  MasterBench bench({8, 256});
  EXPECT_TRUE(bench.issue(0xf80, 0x200, true));
  std::vector<std::pair<std::uint64_t, std::uint32_t>> parts;
  for (const auto& request : bench.target.requests) parts.emplace_back(request.address, request.bytes);
  EXPECT_EQ(parts,
            (std::vector<std::pair<std::uint64_t, std::uint32_t>>{{0xf80, 0x80}, {0x1000, 0x100}, {0x1100, 0x80}}));
  bench.target.respond(2);
  bench.target.respond(0, 0, ::tlm::TLM_ADDRESS_ERROR_RESPONSE);
  run_to(2'000);
  EXPECT_TRUE(bench.ended.empty());
  bench.target.respond(1);
  run_to(3'000);
  EXPECT_EQ(bench.responses, std::vector<Response>{Response::kCompleterAbort});
  EXPECT_EQ(bench.master.statistics().failed.value(), 1U);
}

SC_TEST(DmaMaster, WorstResponseOfAllParts) {
  MasterBench bench({8, 64});
  EXPECT_TRUE(bench.issue(0, 192));
  bus::dma_of(*bench.target.requests[1].payload).response = Response::kUnsupportedRequest;
  bench.target.respond(1, 0, ::tlm::TLM_GENERIC_ERROR_RESPONSE);
  bench.target.respond(0);
  bench.target.respond(2);
  run_to(2'000);
  EXPECT_EQ(bench.responses, std::vector<Response>{Response::kUnsupportedRequest});
  EXPECT_EQ(bench.consumed, (std::vector<std::pair<std::uint64_t, std::uint32_t>>{{0, 64}, {128, 64}}));
}

SC_TEST(DmaMaster, Outstanding) {
  MasterBench bench({2, 64});
  EXPECT_TRUE(bench.issue(0, 192));  // two parts go, the third waits
  EXPECT_EQ(bench.target.requests.size(), 2U);
  EXPECT_FALSE(bench.issue(0x1000, 8));
  bench.target.respond(0);
  run_to(2'000);
  EXPECT_EQ(bench.target.requests.size(), 3U);
  EXPECT_EQ(bench.readies, 0U);
  bench.target.respond(1);
  run_to(3'000);
  EXPECT_EQ(bench.readies, 1U);  // now a transaction is free
  EXPECT_TRUE(bench.issue(0x1000, 8));
  bench.target.respond(2);
  bench.target.respond(3);
  run_to(4'000);
  EXPECT_EQ(bench.ended, (std::vector<std::uint64_t>{1, 3}));
}

SC_TEST(DmaMaster, WaitsForEndReq) {
  MasterBench bench({4, 4096});
  bench.target.answer = RawTarget::Answer::kHold;
  EXPECT_TRUE(bench.issue(0, 8));
  EXPECT_FALSE(bench.issue(8, 8));
  bench.target.end_request(0, 700);
  run_to(1'699);
  EXPECT_EQ(bench.readies, 0U);
  run_to(1'700);
  EXPECT_EQ(bench.readies, 1U);
  EXPECT_TRUE(bench.issue(8, 8));
  bench.target.respond(0);
  bench.target.respond(1);
  run_to(5'000);
  EXPECT_EQ(bench.ended.size(), 2U);
}

SC_TEST(DmaMaster, NextMayBeIssuedFromCompleted) {
  MasterBench bench({1, 4096});
  bench.target.answer = RawTarget::Answer::kComplete;
  unsigned left = 50;
  bench.on_completed = [&] {
    if (left-- > 0) {
      EXPECT_TRUE(bench.issue(64 * left, 64));
    }
  };
  EXPECT_TRUE(bench.issue(0, 64));
  run_to(10'000);
  EXPECT_EQ(bench.ended.size(), 51U);
  EXPECT_EQ(bench.master.payloads().allocated(), 1U);
}

SC_TEST(DmaMaster, DataOfTheClientIsUsedInPlace) {
  MasterBench bench({4, 4096});
  std::vector<std::uint8_t> data(8192);
  DmaRequest request;
  request.iova = 0x800;
  request.bytes = 8192;
  request.write = true;
  request.data = data.data();
  EXPECT_TRUE(bench.master.try_issue(request));
  ASSERT_EQ(bench.target.requests.size(), 3U);
  EXPECT_EQ(bench.target.requests[1].payload->get_data_ptr(), data.data() + 0x800);
  for (std::size_t i = 0; i < 3; ++i) bench.target.respond(i);
  run_to(2'000);
  EXPECT_EQ(bench.master.statistics().bytes_written.value(), 8192U);
}

TEST(DmaLimits, AreChecked) {
  EXPECT_THROW((DmaLimits{0, 4096}.check()), base::InputError);
  EXPECT_THROW((DmaLimits{1, 192}.check()), base::InputError);
  EXPECT_THROW((DmaLimits{1, 8192}.check()), base::InputError);
  EXPECT_NO_THROW((DmaLimits{1, 64}.check()));
}

}  // namespace
}  // namespace iommusim::devices
