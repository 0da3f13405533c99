// SPDX-License-Identifier: Apache-2.0
#include "tlm/peer_router.h"

#include "unit/tlm/raw_initiator.h"
#include "unit/tlm/raw_target.h"
#include "unit/tlm/sc_test.h"

namespace iommusim::bus {
namespace {

constexpr std::uint64_t kBar = 1ULL << 40, kBarBytes = 64 << 10;

struct PeerBench {
  explicit PeerBench(bool routed, std::uint64_t latency_ns = 300) : bars(routed, root) {
    bar = &bars.add("gpu", {kBarBytes, kBar, latency_ns});
    initiator.socket.bind(router.in);
    router.out.bind(target.socket);
  }
  PooledPayload& access(bool write, std::uint64_t address, std::uint64_t value) {
    PooledPayload& payload = initiator.pool.take();
    std::memcpy(payload.buffer(), &value, sizeof value);
    set_access(payload, write, address, payload.buffer(), sizeof value);
    return payload;
  }
  PooledPayload& send(bool write, std::uint64_t address, std::uint64_t value = 0) {
    PooledPayload& payload = access(write, address, value);
    initiator.send(payload);
    return payload;
  }
  static std::uint64_t value_of(PooledPayload& payload) {
    std::uint64_t value = 0;
    std::memcpy(&value, payload.buffer(), sizeof value);
    return value;
  }

  stats::Group root{"root"};
  sc_test::RawInitiator initiator{"initiator"};
  PeerBars bars;
  PeerBars::Bar* bar = nullptr;
  PeerRouter router{"router", bars};
  sc_test::RawTarget target{"target"};
};

SC_TEST(PeerRouter, BarLatencyNsIsFromRequestToAnswer) {
  PeerBench bench(true, 7);
  Payload& read = bench.send(false, kBar);
  EXPECT_EQ(bench.initiator.accepted(read), 0U);
  sc_test::run_to(6'999);
  EXPECT_EQ(bench.initiator.answered(read), kNever);
  sc_test::run_to(7'000);
  EXPECT_EQ(bench.initiator.answered(read), 7'000U);
  EXPECT_TRUE(read.is_response_ok());
}

SC_TEST(PeerRouter, WhatIsWrittenThroughIsReadBackInOrder) {
  PeerBench bench(true);
  PooledPayload& before = bench.send(false, kBar + kBarBytes - 8);
  bench.send(true, kBar + kBarBytes - 8, 0x1122334455667788);
  PooledPayload& after = bench.send(false, kBar + kBarBytes - 8);
  sc_test::run_out();
  EXPECT_EQ(bench.value_of(before), 0U);
  EXPECT_EQ(bench.value_of(after), 0x1122334455667788U);
  EXPECT_TRUE(bench.target.requests.empty());
  EXPECT_EQ(bench.bar->statistics().routed.value(), 3U);
  EXPECT_EQ(bench.bar->statistics().bytes_read.value(), 16U);
  EXPECT_EQ(bench.bar->statistics().bytes_written.value(), 8U);
}

SC_TEST(PeerRouter, RefusedIsAnAddressErrorWithoutEffectByEveryWay) {
  PeerBench bench(false);
  Payload& write = bench.send(true, kBar, 5);
  sc_test::run_to(0);
  EXPECT_EQ(bench.initiator.answered(write), 0U);
  EXPECT_EQ(write.get_response_status(), ::tlm::TLM_ADDRESS_ERROR_RESPONSE);
  Payload& blocking = bench.access(true, kBar, 5);
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  bench.initiator.socket->b_transport(blocking, delay);
  EXPECT_EQ(blocking.get_response_status(), ::tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(bench.initiator.socket->transport_dbg(bench.access(false, kBar, 5)), 0U);
  EXPECT_TRUE(bench.target.requests.empty());
  EXPECT_EQ(bench.bar->statistics().refused.value(), 2U);
  EXPECT_EQ(bench.bar->statistics().routed.value(), 0U);
}

SC_TEST(PeerRouter, OtherAccessesPassUnchanged) {
  PeerBench bench(true);
  bench.target.answer_delay = 5;
  Payload& below = bench.send(true, kBar - 8, 5);
  Payload& behind = bench.send(false, kBar + kBarBytes);
  ASSERT_EQ(bench.target.requests.size(), 2U);
  EXPECT_EQ(bench.initiator.accepted(below), 5U);
  bench.target.respond(1, 11);
  bench.target.respond(0, 12);
  EXPECT_EQ(bench.initiator.answered(behind), 11U);
  EXPECT_EQ(bench.initiator.answered(below), 12U);
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  bench.initiator.socket->b_transport(bench.access(false, 0, 0), delay);
  EXPECT_EQ(delay.value(), 5U);
  EXPECT_EQ(bench.initiator.socket->transport_dbg(bench.access(false, 0, 0)), 8U);
  EXPECT_EQ(bench.bar->statistics().routed.value(), 0U);
}

SC_TEST(PeerRouter, AnAccessAcrossAnEndOfTheWindowIsAnError) {
  PeerBench bench(true);
  Payload& into = bench.send(true, kBar - 4, 5);
  Payload& out_of = bench.send(true, kBar + kBarBytes - 4, 5);
  sc_test::run_out();
  EXPECT_EQ(into.get_response_status(), ::tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(out_of.get_response_status(), ::tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(bench.bar->statistics().errors.value(), 2U);
}

SC_TEST(PeerRouter, BlockingAndDebugReachTheWindowAndDirectAccessDoesNot) {
  PeerBench bench(true, 7);
  sc_core::sc_time delay = to_sc_time(1);
  bench.initiator.socket->b_transport(bench.access(true, kBar + 64, 99), delay);
  EXPECT_EQ(delay.value(), 7'001U);
  PooledPayload& debug = bench.access(false, kBar + 64, 0);
  EXPECT_EQ(bench.initiator.socket->transport_dbg(debug), 8U);
  EXPECT_EQ(bench.value_of(debug), 99U);
  ::tlm::tlm_dmi dmi;
  debug.set_dmi_allowed(true);
  EXPECT_FALSE(bench.initiator.socket->get_direct_mem_ptr(debug, dmi));
  EXPECT_FALSE(debug.is_dmi_allowed());
}

/// The base protocol: no second BEGIN_RESP at a socket before END_RESP of the first, whoever answers.
SC_TEST(PeerRouter, AnswersOfMemoryAndPeersComeOneAtATime) {
  PeerBench bench(true, 1);
  bench.initiator.take_responses = false;
  Payload& first = bench.send(false, 0);
  Payload& second = bench.send(false, 64);
  Payload& peer = bench.send(false, kBar);
  sc_test::run_to(1'000);
  EXPECT_EQ(bench.initiator.answered(peer), 1'000U);
  bench.target.respond(0);  // held back
  sc_test::run_to(2'000);
  EXPECT_EQ(bench.initiator.answered(first), kNever);
  bench.initiator.end_response(peer);
  sc_test::run_to(2'000);
  EXPECT_EQ(bench.initiator.answered(first), 2'000U);
  Payload& late = bench.send(false, kBar);
  sc_test::run_to(5'000);
  EXPECT_EQ(bench.initiator.answered(late), kNever) << "held back by memory's";
  bench.initiator.end_response(first);
  EXPECT_EQ(bench.target.ended, 1U);
  sc_test::run_to(5'000);
  EXPECT_EQ(bench.initiator.answered(late), 5'000U);
  bench.initiator.end_response(late);
  bench.target.respond(1);
  EXPECT_EQ(bench.initiator.answered(second), 5'000U);
  bench.initiator.end_response(second);
  EXPECT_EQ(bench.target.ended, 2U);
}

}  // namespace
}  // namespace iommusim::bus
