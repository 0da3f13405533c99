// SPDX-License-Identifier: Apache-2.0
#include "tlm/target_port.h"

#include "unit/tlm/raw_initiator.h"
#include "unit/tlm/sc_test.h"

namespace iommusim::bus {
namespace {

using sc_test::RawInitiator;

struct TargetBench : sc_core::sc_module, TargetClient {
  explicit TargetBench(const sc_core::sc_module_name& name) : sc_module(name), port("port", 2, *this) {
    initiator.socket.bind(port.socket);
  }
  bool request(unsigned index, Payload&, Picoseconds at) override {
    EXPECT_EQ(index, 2U);
    requested_at = at;
    return accept;
  }
  void response_taken(unsigned, Payload&, Picoseconds) override { ++taken; }
  void blocking(unsigned, Payload&, sc_core::sc_time&) override {}
  unsigned debug(unsigned, Payload&) override { return 0; }

  RawInitiator initiator{"initiator"};
  TargetPort port;
  bool accept = true;
  Picoseconds requested_at = 0;
  unsigned taken = 0;
};

SC_TEST(TargetPort, KeepsARefusedRequestAndItsReference) {
  TargetBench bench("bench");
  sc_test::run_to(1'000);
  bench.accept = false;
  auto& read = bench.initiator.begin(false, 0, 8, 40);
  EXPECT_EQ(bench.requested_at, 1'040U);
  EXPECT_EQ(bench.port.waiting(), &read);
  EXPECT_EQ(bench.port.waiting_since(), 1'040U);
  EXPECT_EQ(read.get_ref_count(), 2);
  EXPECT_THROW(bench.initiator.begin(false, 0, 8), base::Contradiction);
  bench.port.end_request();
  EXPECT_EQ(bench.port.waiting(), nullptr);
  EXPECT_EQ(bench.initiator.accepted(read), 1'000U);
  EXPECT_TRUE(bench.port.respond(read));
  EXPECT_EQ(read.get_ref_count(), 1);
}

SC_TEST(TargetPort, ResponseStaysUntilTaken) {
  TargetBench bench("bench");
  sc_test::run_to(1'000);
  bench.initiator.take_responses = false;
  auto& first = bench.initiator.begin(false, 0, 8);
  auto& second = bench.initiator.begin(false, 0, 8);
  EXPECT_FALSE(bench.port.respond(first));
  EXPECT_TRUE(bench.port.responding());
  EXPECT_THROW(bench.port.respond(second), base::Contradiction);
  EXPECT_THROW(bench.initiator.end_response(second), base::Contradiction);
  bench.initiator.end_response(first);
  EXPECT_EQ(bench.taken, 1U);
  EXPECT_FALSE(bench.port.responding());
  EXPECT_EQ(first.get_ref_count(), 1);
}

}  // namespace
}  // namespace iommusim::bus
