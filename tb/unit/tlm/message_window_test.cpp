// SPDX-License-Identifier: Apache-2.0
#include "tlm/message_window.h"

#include "unit/tlm/raw_initiator.h"
#include "unit/tlm/raw_target.h"
#include "unit/tlm/sc_test.h"

namespace iommusim::bus {
namespace {

struct WindowBench : MessageListener {
  WindowBench() {
    initiator.socket.bind(window.in);
    window.out.bind(target.socket);
    window.connect(this);
  }
  void message(std::uint64_t address, std::uint32_t data) override { messages.emplace_back(address, data); }

  sc_test::RawInitiator initiator{"initiator"};
  MessageWindow window{"window", 0x1000, 0x1000};
  sc_test::RawTarget target{"target"};
  std::vector<std::pair<std::uint64_t, std::uint32_t>> messages;
};

SC_TEST(MessageWindow, TakesWordWritesIntoTheWindow) {
  WindowBench bench;
  PooledPayload& payload = bench.initiator.pool.take();
  const std::uint32_t data = 7;
  std::memcpy(payload.buffer(), &data, 4);
  set_access(payload, true, 0x1ffc, payload.buffer(), 4);
  bench.initiator.send(payload);
  ASSERT_EQ(bench.messages.size(), 1U);
  EXPECT_EQ(bench.messages[0].first, 0x1ffcU);
  EXPECT_EQ(bench.messages[0].second, 7U);
  EXPECT_TRUE(payload.is_response_ok());
  EXPECT_TRUE(bench.target.requests.empty());
  payload.release();
}

SC_TEST(MessageWindow, PassesEverythingElse) {
  WindowBench bench;
  bench.initiator.begin(false, 0x1000, 4);
  bench.initiator.begin(true, 0x2000, 4);
  bench.initiator.begin(true, 0x0ffc, 4);
  bench.initiator.begin(true, 0x1000, 8);
  EXPECT_EQ(bench.target.requests.size(), 4U);
  EXPECT_TRUE(bench.messages.empty());
  bench.target.respond(2);
  EXPECT_EQ(bench.initiator.answered(*bench.target.requests[2].payload), 0U);
}

}  // namespace
}  // namespace iommusim::bus
