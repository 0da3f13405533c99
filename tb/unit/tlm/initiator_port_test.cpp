// SPDX-License-Identifier: Apache-2.0
#include "tlm/initiator_port.h"

#include "tlm/protocol_checker.h"
#include "unit/tlm/raw_target.h"
#include "unit/tlm/sc_test.h"

namespace iommusim::bus {
namespace {

using sc_test::RawTarget;

struct PortBench : sc_core::sc_module, InitiatorClient {
  explicit PortBench(const sc_core::sc_module_name& name) : sc_module(name), port("port", 3, *this) {
    port.socket.bind(checker.from_initiator);
    checker.to_target.bind(target.socket);
  }
  ~PortBench() override {
    checker.finish();
    EXPECT_EQ(checker.violations().size(), 0U) << checker.violations().front();
  }
  void request_ended(unsigned index) override {
    EXPECT_EQ(index, 3U);
    ++ended;
  }
  void response(unsigned, Payload& payload, Picoseconds at) override {
    answered_at = at;
    payload.release();
  }
  PooledPayload& send() {
    PooledPayload& payload = pool.take();
    set_access(payload, false, 0, payload.buffer(), 8);
    port.send(payload);
    return payload;
  }
  PayloadPool pool{8};
  InitiatorPort port;
  ProtocolChecker checker{"checker"};
  RawTarget target{"target"};
  unsigned ended = 0;
  Picoseconds answered_at = 0;
};

SC_TEST(InitiatorPort, WaitsForEndReq) {
  PortBench bench("bench");
  sc_test::run_to(1'000);
  bench.target.answer = RawTarget::Answer::kHold;
  bench.send();
  EXPECT_EQ(bench.port.ready_at(), kNever);
  EXPECT_THROW(bench.send(), base::Contradiction);
  bench.target.end_request(0, 500);
  EXPECT_EQ(bench.ended, 1U);
  EXPECT_FALSE(bench.port.ready(1'499));
  EXPECT_TRUE(bench.port.ready(1'500));
  bench.target.respond(0, 700);
  EXPECT_EQ(bench.answered_at, 1'700U);
}

SC_TEST(InitiatorPort, ResponseImpliesEndReq) {
  PortBench bench("bench");
  sc_test::run_to(1'000);
  bench.target.answer = RawTarget::Answer::kHold;
  bench.send();
  bench.target.respond(0);
  EXPECT_EQ(bench.ended, 1U);
  EXPECT_TRUE(bench.port.ready(1'000));
  EXPECT_EQ(bench.answered_at, 1'000U);
}

SC_TEST(InitiatorPort, CompletionAndResponseOnReturn) {
  PortBench bench("bench");
  sc_test::run_to(1'000);
  bench.target.answer_delay = 250;
  for (const auto answer : {RawTarget::Answer::kComplete, RawTarget::Answer::kRespondOnReturn}) {
    bench.target.answer = answer;
    bench.send();
    EXPECT_EQ(bench.answered_at, now_ps() + 250);
    EXPECT_EQ(bench.port.ready_at(), now_ps() + 250);
    EXPECT_EQ(bench.pool.in_use(), 0U);
    sc_test::run_to(now_ps() + 250);
  }
}

}  // namespace
}  // namespace iommusim::bus
