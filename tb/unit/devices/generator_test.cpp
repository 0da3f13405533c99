// SPDX-License-Identifier: Apache-2.0
#include "devices/generator.h"

#include "devices/patterns.h"
#include "unit/tlm/raw_target.h"
#include "unit/tlm/sc_test.h"

namespace iommusim::devices {
namespace {

using sc_test::RawTarget;
using sc_test::run_to;

SC_TEST(Generator, ThinkNsFromTheLastAnswerOfABurst) {
  stats::Group stats("test");
  TrafficParams traffic;
  traffic.count = 4;
  GpuParams gpu;
  gpu.wavefronts = 2;
  gpu.coalesced_percent = 100;
  gpu.think_ns = 70;
  Generator generator("generator", traffic, make_gpu(gpu, 100, 1), stats);
  RawTarget target("target");
  target.keep = true;
  generator.socket().bind(target.socket);
  generator.start(0x4000, [] {});
  run_to(10'000);
  ASSERT_EQ(target.requests.size(), 2U);
  target.respond(1, 0, ::tlm::TLM_OK_RESPONSE);
  run_to(20'000);
  target.respond(0, 0, ::tlm::TLM_OK_RESPONSE);
  run_to(20'000 + 69'999);
  EXPECT_EQ(target.requests.size(), 2U);
  run_to(20'000 + 70'000);
  EXPECT_EQ(target.requests.size(), 4U);
  for (const std::size_t i : {2U, 3U}) {
    run_to(95'000);
    target.respond(i, 0, ::tlm::TLM_OK_RESPONSE);
  }
  run_to(100'000);
  EXPECT_TRUE(generator.finished());
}

SC_TEST(Generator, FunctionsByAddressSpace) {
  stats::Group stats("test");
  TrafficParams traffic;
  traffic.count = 6;
  traffic.bdf = "00:04.6";
  SequentialParams sequential;
  sequential.flows = 3;
  sequential.own_spaces = true;
  Generator generator("generator", traffic, make_sequential(sequential, 100, 1), stats);
  RawTarget target("target");
  target.keep = true;
  generator.socket().bind(target.socket);
  generator.start(0x4000, [] {});
  sc_test::run_out();
  ASSERT_EQ(target.requests.size(), 6U);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(bus::dma_of(*target.requests[i].payload).device.value, 0x26 + i % 3) << i;  // 00:04.6, .7, 00:05.0
    EXPECT_EQ(target.requests[i].address, 0x4000 + i / 3 * 4096) << i;
  }
  for (std::size_t i = 0; i < 6; ++i) target.respond(i, 0, ::tlm::TLM_OK_RESPONSE);
  sc_test::run_out();
}

}  // namespace
}  // namespace iommusim::devices
