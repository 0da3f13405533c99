// SPDX-License-Identifier: Apache-2.0
#include "tlm/protocol_checker.h"

#include <gmock/gmock.h>

#include "unit/tlm/raw_initiator.h"
#include "unit/tlm/raw_target.h"
#include "unit/tlm/sc_test.h"

namespace iommusim::bus {
namespace {

using sc_test::RawInitiator;
using sc_test::RawTarget;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct CheckerBench {
  CheckerBench() {
    initiator.socket.bind(checker.from_initiator);
    checker.to_target.bind(target.socket);
  }
  RawInitiator initiator{"initiator"};
  ProtocolChecker checker{"checker"};
  RawTarget target{"target"};
};

SC_TEST(ProtocolChecker, EveryLegalSequencePasses) {
  CheckerBench bench;
  sc_test::run_to(1);
  for (const auto answer : {RawTarget::Answer::kAccept, RawTarget::Answer::kHold}) {
    bench.target.answer = answer;
    bench.target.requests.clear();
    bench.initiator.begin(false, 0, 8);
    if (answer == RawTarget::Answer::kHold) bench.target.end_request(0);
    bench.target.respond(0);
  }
  bench.target.answer = RawTarget::Answer::kHold;
  bench.target.requests.clear();
  bench.initiator.take_responses = false;
  auto& held = bench.initiator.begin(true, 0, 8);
  bench.target.respond(0);  // implies END_REQ
  bench.initiator.end_response(held);
  bench.target.answer = RawTarget::Answer::kComplete;
  bench.initiator.begin(true, 0, 8);
  bench.target.answer = RawTarget::Answer::kRespondOnReturn;
  bench.initiator.end_response(bench.initiator.begin(true, 0, 8));
  bench.checker.finish();
  EXPECT_THAT(bench.checker.violations(), IsEmpty());
  EXPECT_EQ(bench.checker.completed(), 5U);
}

SC_TEST(ProtocolChecker, SecondRequestBeforeEndReq) {
  CheckerBench bench;
  sc_test::run_to(1);
  bench.target.answer = RawTarget::Answer::kHold;
  bench.initiator.begin(false, 0, 8);
  bench.initiator.begin(false, 0, 8);
  EXPECT_THAT(bench.checker.violations(), ElementsAre(HasSubstr("a second BEGIN_REQ before END_REQ")));
}

SC_TEST(ProtocolChecker, SecondResponseBeforeEndResp) {
  CheckerBench bench;
  sc_test::run_to(1);
  bench.initiator.take_responses = false;
  bench.initiator.begin(false, 0, 8);
  bench.initiator.begin(false, 0, 8);
  bench.target.respond(0);
  bench.target.respond(1);
  EXPECT_THAT(bench.checker.violations(), ElementsAre(HasSubstr("a second BEGIN_RESP before END_RESP")));
}

SC_TEST(ProtocolChecker, PhasesOutOfOrder) {
  CheckerBench bench;
  sc_test::run_to(1);
  auto& read = bench.initiator.begin(false, 0, 8);
  bench.target.end_request(0);  // a second END_REQ
  bench.initiator.end_response(read);
  EXPECT_THAT(bench.checker.violations(), ElementsAre(HasSubstr("END_REQ without"), HasSubstr("END_RESP without")));
}

SC_TEST(ProtocolChecker, WhatTheTargetMustNotTouch) {
  CheckerBench bench;
  sc_test::run_to(1);
  auto& read = bench.initiator.begin(false, 0, 8);
  read.dma.device = base::DeviceId(5);
  read.set_data_length(4);
  read.set_address(0x1000);  // allowed: interconnects do
  bench.target.respond(0, 0, ::tlm::TLM_INCOMPLETE_RESPONSE);
  EXPECT_THAT(bench.checker.violations(),
              ElementsAre(HasSubstr("without response status"), HasSubstr("data pointer or length"),
                          HasSubstr("DMA extension was changed")));
}

SC_TEST(ProtocolChecker, PayloadsWithoutOwnerOrWithAnOldStatus) {
  CheckerBench bench;
  sc_test::run_to(1);
  bench.target.answer = RawTarget::Answer::kComplete;
  Payload bare;
  bare.set_response_status(::tlm::TLM_OK_RESPONSE);
  bench.initiator.send(bare);
  EXPECT_THAT(bench.checker.violations(), ElementsAre(HasSubstr("no memory manager"), HasSubstr("nobody holds"),
                                                      HasSubstr("response status set"), HasSubstr("nobody holds")));
}

SC_TEST(ProtocolChecker, InFlightAtTheEnd) {
  CheckerBench bench;
  sc_test::run_to(1);
  bench.initiator.begin(false, 0, 8);
  EXPECT_EQ(bench.checker.in_flight(), 1U);
  bench.checker.finish();
  EXPECT_THAT(bench.checker.violations(), ElementsAre(HasSubstr("in flight at the end")));
}

/// Answers a request with BEGIN_RESP from within the request.
struct ImpatientTarget : sc_core::sc_module, ::tlm::tlm_fw_transport_if<> {
  explicit ImpatientTarget(const sc_core::sc_module_name& name) : sc_module(name) { socket.bind(*this); }
  ::tlm::tlm_sync_enum nb_transport_fw(Payload& payload, ::tlm::tlm_phase&, sc_core::sc_time& delay) override {
    payload.acquire();
    payload.set_response_status(::tlm::TLM_OK_RESPONSE);
    ::tlm::tlm_phase phase = ::tlm::BEGIN_RESP;
    socket->nb_transport_bw(payload, phase, delay);
    return ::tlm::TLM_ACCEPTED;
  }
  void b_transport(Payload&, sc_core::sc_time&) override {}
  unsigned transport_dbg(Payload&) override { return 0; }
  bool get_direct_mem_ptr(Payload&, ::tlm::tlm_dmi&) override { return false; }
  TargetSocket socket{"socket"};
};

SC_TEST(ProtocolChecker, CallAlongTheOppositePath) {
  RawInitiator initiator("initiator");
  ProtocolChecker checker("checker");
  ImpatientTarget target("target");
  initiator.socket.bind(checker.from_initiator);
  checker.to_target.bind(target.socket);
  sc_test::run_to(1);
  initiator.begin(false, 0, 8);
  EXPECT_THAT(checker.violations(), ElementsAre(HasSubstr("from within nb_transport_fw")));
}

}  // namespace
}  // namespace iommusim::bus
