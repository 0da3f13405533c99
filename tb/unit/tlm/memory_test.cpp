// SPDX-License-Identifier: Apache-2.0
#include "tlm/memory.h"

#include "unit/tlm/raw_initiator.h"
#include "unit/tlm/sc_test.h"

namespace iommusim::bus {
namespace {

using sc_test::RawInitiator;
using sc_test::run_out;
using sc_test::run_to;

/// Latency 10 ns, 1 byte a ns, queue 2, outstanding 4.
MemoryParams plain_memory() {
  MemoryParams params;
  params.physical_bits = 20;
  params.latency_ns = 10;
  params.bandwidth_bytes_per_s = 1'000'000'000;
  params.queue_depth = 2;
  params.outstanding = 4;
  return params;
}

struct MemoryBench {
  explicit MemoryBench(const MemoryParams& params) : memory("memory", params, {"dma", "walker"}, stats) {
    a.socket.bind(memory.port(0));
    b.socket.bind(memory.port(1));
  }
  ~MemoryBench() {
    stats.advance(now_ps());
    stats::check_identities(stats);
    EXPECT_EQ(a.pool.in_use(), 0U);
    EXPECT_EQ(b.pool.in_use(), 0U);
  }
  stats::Group stats{"test"};
  Memory memory;
  RawInitiator a{"a"}, b{"b"};
};

void expect_answer_at(RawInitiator& initiator, PooledPayload& payload, Picoseconds time) {
  run_to(time - 1);
  EXPECT_EQ(initiator.answered(payload), kNever);
  run_to(time);
  EXPECT_EQ(initiator.answered(payload), time);
}

SC_TEST(Memory, LatencyNs) {
  auto params = plain_memory();
  params.bandwidth_bytes_per_s = 0;
  MemoryBench bench(params);
  auto& read = bench.a.begin(false, 0x100, 64);
  EXPECT_EQ(bench.a.accepted(read), 0U);
  expect_answer_at(bench.a, read, 10'000);
  EXPECT_TRUE(read.is_response_ok());
  read.release();
}

SC_TEST(Memory, BandwidthBytesPerS) {
  auto params = plain_memory();
  params.bandwidth_bytes_per_s = 3'000'000'000;  // a byte takes a third of a ns
  MemoryBench bench(params);
  PooledPayload* reads[3];
  for (unsigned i = 0; i < 2; ++i) reads[i] = &bench.a.begin(false, 0, 1);
  reads[2] = &bench.b.begin(false, 0, 1);
  expect_answer_at(bench.b, *reads[2], 10'334 + 333);  // the ports take turns
  expect_answer_at(bench.a, *reads[1], 11'000);        // no drift: three bytes are exactly 1 ns
  EXPECT_EQ(bench.a.answered(*reads[0]), 10'334U);
  for (auto* read : reads) read->release();
}

SC_TEST(Memory, CacheAndCellsAnswerLater) {
  auto params = plain_memory();
  params.bandwidth_bytes_per_s = 0;
  params.dram.latency_ns = 30;
  params.cache.bytes = 4096;
  params.cache.hit_ns = 5;
  params.cache.allocate_dma_reads = true;
  MemoryBench bench(params);
  auto& miss = bench.a.begin(false, 0x100, 64);
  expect_answer_at(bench.a, miss, 45'000);
  auto& slow = bench.a.begin(false, 0x200, 64);
  auto& hit = bench.b.begin(false, 0x100, 64);
  expect_answer_at(bench.b, hit, 45'000 + 15'000);
  expect_answer_at(bench.a, slow, 45'000 + 45'000);
  for (auto* read : {&miss, &slow, &hit}) read->release();
}

SC_TEST(Memory, EffectsKeepTheOrderOfThePathWhateverTheCellsDo) {
  auto params = plain_memory();
  params.dram.kind = DramKind::kDistributed;
  params.dram.spread_ns = 1000;
  MemoryBench bench(params);
  for (std::uint8_t i = 0; i < 100; ++i) {
    auto& write = bench.a.pool.take();
    set_access(write, true, 0x100, write.buffer(), 1);
    write.buffer()[0] = i;
    bench.a.send(write);
    auto& read = bench.a.begin(false, 0x100, 1);
    run_out();
    EXPECT_EQ(read.get_data_ptr()[0], i);
    write.release();
    read.release();
  }
}

SC_TEST(Memory, QueueDepth) {
  MemoryBench bench(plain_memory());
  PooledPayload* writes[3];
  for (auto& write : writes) write = &bench.a.begin(true, 0, 100);
  EXPECT_EQ(bench.a.accepted(*writes[1]), 0U);
  run_to(99'999);
  EXPECT_EQ(bench.a.accepted(*writes[2]), kNever);
  run_to(100'000);  // the first has left the queue
  EXPECT_EQ(bench.a.accepted(*writes[2]), 100'000U);
  expect_answer_at(bench.a, *writes[2], 310'000);
  for (auto* write : writes) write->release();
}

SC_TEST(Memory, Outstanding) {
  auto params = plain_memory();
  params.outstanding = 1;
  MemoryBench bench(params);
  auto& first = bench.a.begin(false, 0, 20);
  auto& second = bench.b.begin(false, 0, 20);
  expect_answer_at(bench.a, first, 30'000);
  expect_answer_at(bench.b, second, 60'000);
  first.release();
  second.release();
}

SC_TEST(Memory, ResponseNotTakenBlocksItsPortAlone) {
  MemoryBench bench(plain_memory());
  bench.a.take_responses = false;
  auto& first = bench.a.begin(false, 0, 1);
  auto& second = bench.a.begin(false, 0, 1);
  auto& other = bench.b.begin(false, 0, 1);
  run_to(50'000);
  EXPECT_EQ(bench.a.answered(first), 11'000U);
  EXPECT_EQ(bench.a.answered(second), kNever);
  EXPECT_EQ(bench.b.answered(other), 12'000U);
  bench.a.end_response(first);
  run_to(60'000);
  EXPECT_EQ(bench.a.answered(second), 50'000U);
  bench.a.end_response(second);
  for (auto* payload : {&first, &second, &other}) payload->release();
}

SC_TEST(Memory, HonoursTheDelayOfARequest) {
  MemoryBench bench(plain_memory());
  auto& late = bench.a.begin(false, 0, 1, 5'000);
  EXPECT_EQ(bench.a.accepted(late), 5'000U);
  auto& later = bench.a.begin(false, 0, 1, 5'000);
  auto& held = bench.a.begin(false, 0, 1, 9'000);
  expect_answer_at(bench.a, late, 16'000);
  EXPECT_EQ(bench.a.accepted(held), 9'000U);  // a place was free at 6 ns, but it counts from 9 ns
  expect_answer_at(bench.a, held, 20'000);
  for (auto* payload : {&late, &later, &held}) payload->release();
}

SC_TEST(Memory, WritesAreReadBack) {
  MemoryBench bench(plain_memory());
  auto& write = bench.a.pool.take();
  set_access(write, true, 0xffe, write.buffer(), 4);  // across a page border
  std::memcpy(write.buffer(), "abcd", 4);
  bench.a.send(write);
  run_to(13'999);
  EXPECT_EQ(bench.memory.store().load64(0xff8), 0U);  // the effect comes with the answer
  run_to(14'000);
  auto& read = bench.b.begin(false, 0xffe, 4);
  run_to(40'000);
  EXPECT_EQ(std::memcmp(read.buffer(), "abcd", 4), 0);
  write.release();
  read.release();
}

SC_TEST(Memory, AtomicExtensionSwapsWhenEqual) {
  MemoryBench bench(plain_memory());
  bench.memory.store().store64(0x40, 7);
  for (const std::uint64_t expected : {6U, 7U}) {
    auto& swap = bench.a.pool.take();
    set_access(swap, false, 0x40, swap.buffer(), 8);
    swap.atomic.bytes = 8;
    swap.atomic.expected = expected;
    swap.atomic.desired = 9;
    bench.a.send(swap);
    run_to(now_ps() + 50'000);
    std::uint64_t old;
    std::memcpy(&old, swap.buffer(), 8);
    EXPECT_EQ(old, 7U);
    EXPECT_EQ(bench.memory.store().load64(0x40), expected == 7 ? 9U : 7U);
    swap.release();
  }
}

struct FaultAt : FaultInjector {
  Injected inspect(unsigned, const Payload& payload) override {
    const std::uint64_t address = payload.get_address();
    return {address == 0x1000   ? Injected::Fault::kAccessFault
            : address == 0x2000 ? Injected::Fault::kPoison
                                : Injected::Fault::kNone,
            address == 0x3000 ? Picoseconds{7000} : 0};
  }
};

SC_TEST(Memory, Errors) {
  MemoryBench bench(plain_memory());
  FaultAt faults;
  bench.memory.inject(&faults);
  const auto status_of = [&](std::uint64_t address, bool byte_enables) {
    auto& access = bench.a.pool.take();
    set_access(access, true, address, access.buffer(), 8);
    unsigned char enable = 0xff;
    if (byte_enables) access.set_byte_enable_ptr(&enable);
    bench.a.send(access);
    run_to(now_ps() + 50'000);
    const auto status = access.get_response_status();
    EXPECT_EQ(access.poison.poisoned, status == ::tlm::TLM_GENERIC_ERROR_RESPONSE);
    access.release();
    return status;
  };
  EXPECT_EQ(status_of((1U << 20) - 8, false), ::tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(status_of((1U << 20) - 7, false), ::tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(status_of(~0ULL, false), ::tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(status_of(0x1000, false), ::tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(status_of(0x2000, false), ::tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_EQ(status_of(0, true), ::tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
  EXPECT_EQ(bench.memory.store().pages(), 1U);
}

SC_TEST(Memory, AnInjectedDelayHoldsOneAnswerAndNoOther) {
  auto params = plain_memory();
  params.bandwidth_bytes_per_s = 0;
  MemoryBench bench(params);
  FaultAt faults;
  bench.memory.inject(&faults);
  auto& late = bench.a.begin(false, 0x3000, 8);
  auto& other = bench.b.begin(false, 0x100, 8);
  expect_answer_at(bench.b, other, 10'000);
  expect_answer_at(bench.a, late, 17'000);
  sc_core::sc_time delay;
  bench.a.socket->b_transport(late, delay);
  EXPECT_EQ(delay, to_sc_time(17'000));
  late.release();
  other.release();
}

SC_TEST(Memory, BlockingAndDebugTransport) {
  MemoryBench bench(plain_memory());
  auto& payload = bench.a.pool.take();
  set_access(payload, true, 0x10, payload.buffer(), 4);
  std::memcpy(payload.buffer(), "wxyz", 4);
  sc_core::sc_time delay = to_sc_time(3);
  bench.a.socket->b_transport(payload, delay);
  EXPECT_EQ(delay, to_sc_time(14'003));
  EXPECT_TRUE(payload.is_response_ok());
  payload.set_read();
  std::memset(payload.buffer(), 0, 4);
  EXPECT_EQ(bench.b.socket->transport_dbg(payload), 4U);
  EXPECT_EQ(std::memcmp(payload.buffer(), "wxyz", 4), 0);
  payload.set_address(1U << 20);
  EXPECT_EQ(bench.b.socket->transport_dbg(payload), 0U);
  ::tlm::tlm_dmi dmi;
  EXPECT_FALSE(bench.a.socket->get_direct_mem_ptr(payload, dmi));
  payload.release();
}

}  // namespace
}  // namespace iommusim::bus
