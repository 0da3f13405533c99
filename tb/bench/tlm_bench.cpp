// SPDX-License-Identifier: Apache-2.0
// Nanoseconds a 64-byte read through the IOMMU module in mode functional, from b_transport of a device to memory and
// back: the streams of embed_bench.cpp. Beside them a bare b_transport to the same memory, and to a target that does
// nothing, which is what the others are multiples of; and the hit stream through DMI.
#include <benchmark/benchmark.h>

#include <cstring>
#include <memory>

#include "base/random.h"
#include "machine.h"
#include "tlm/iommu.h"
#include "tlm/memory.h"
#include "unit/tlm/raw_initiator.h"

namespace {

using namespace iommusim;
using translate::test::AddressSpace;
using translate::test::Machine;

constexpr std::uint32_t kDevice = 5, kGuestDevice = 6;
constexpr std::uint64_t kBase = 0x100000000, kPages = 1 << 16;

/// A target that takes no time: the cost of the call alone.
class Nothing : public sc_core::sc_module, ::tlm::tlm_fw_transport_if<> {
 public:
  explicit Nothing(const sc_core::sc_module_name& name) : sc_module(name), socket("socket") { socket.bind(*this); }
  bus::TargetSocket socket;

 private:
  ::tlm::tlm_sync_enum nb_transport_fw(bus::Payload&, ::tlm::tlm_phase&, sc_core::sc_time&) override {
    return ::tlm::TLM_COMPLETED;
  }
  void b_transport(bus::Payload& payload, sc_core::sc_time&) override {
    payload.set_response_status(::tlm::TLM_OK_RESPONSE);
  }
  unsigned transport_dbg(bus::Payload&) override { return 0; }
  bool get_direct_mem_ptr(bus::Payload&, ::tlm::tlm_dmi&) override { return false; }
};

bus::IommuParams iommu_params() {
  bus::IommuParams params;
  params.mode = bus::IommuMode::kFunctional;
  params.functional.translations = 64;
  params.dmi = true;
  return params;
}

/// The tables are built sparsely and copied into the memory module.
struct Bench {
  Bench() : iommu("iommu", iommu_params(), 1, 1, stats) {
    device.socket.bind(iommu.dma(0));
    cpu.socket.bind(iommu.registers());
    iommu.memory_dma().bind(memory.port(0));
    iommu.memory_own().bind(memory.port(1));
    direct.socket.bind(memory.port(2));
    bare.socket.bind(nothing.socket);
    Machine tables;
    attach(tables, kDevice, 0);
    attach(tables, kGuestDevice, 8);
    tables.memory.for_each_word(
        [this](std::uint64_t address, std::uint64_t word) { memory.store().store64(address, word); });
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    std::uint64_t ddtp = tables.ddt_root >> 2 | 4;
    bus::Payload payload;
    bus::set_access(payload, true, spec::kDdtpOffset, reinterpret_cast<std::uint8_t*>(&ddtp), 8);
    cpu.socket->transport_dbg(payload);
    for (std::uint64_t i = 0; i < 48 * 1024; ++i) {
      const std::uint64_t offset = i / 48 % 64 * 64;
      round_robin.push_back(kBase + i % 48 * 4096 + offset);
      random.push_back(kBase + numbers.below(kPages) * 4096 + offset);
    }
  }
  static void attach(Machine& tables, std::uint32_t device, unsigned second_stage) {
    AddressSpace space = tables.space(8, second_stage);
    for (std::uint64_t page = 0; page < kPages; ++page) space.map(kBase + page * 4096, 0x800000000 + page * 4096);
    tables.attach(device, space, 0, 1, device);
  }
  static bus::MemoryParams memory_params() {
    bus::MemoryParams params;
    params.physical_bits = 46;
    params.dmi = true;
    return params;
  }

  stats::Group stats{"system"};
  sc_test::RawInitiator device{"device"}, cpu{"cpu"}, direct{"direct"}, bare{"bare"};
  Nothing nothing{"nothing"};
  bus::Memory memory{"memory", memory_params(), {"dma", "own", "direct"}, stats};
  bus::Iommu iommu;
  base::Random numbers{1};
  std::vector<std::uint64_t> round_robin, random;
};

Bench& bench() {
  static auto* const one = new Bench;  // modules cannot be destroyed before the kernel ends
  return *one;
}

void stream(benchmark::State& state, sc_test::RawInitiator& initiator, const std::vector<std::uint64_t>& addresses,
            std::uint32_t device) {
  bus::PooledPayload& payload = initiator.pool.take();
  payload.dma.device = base::DeviceId(device);
  std::size_t next = 0;
  for (auto _ : state) {
    sc_core::sc_time delay;
    bus::set_access(payload, false, addresses[next], payload.buffer(), 64);
    initiator.socket->b_transport(payload, delay);
    if (!payload.is_response_ok()) state.SkipWithError("an access fails");
    next = next + 1 == addresses.size() ? 0 : next + 1;
  }
  payload.release();
}

void tlm_bare(benchmark::State& state) { stream(state, bench().bare, bench().round_robin, 0); }
void tlm_memory(benchmark::State& state) { stream(state, bench().direct, bench().round_robin, 0); }
void tlm_hit(benchmark::State& state) { stream(state, bench().device, bench().round_robin, kDevice); }
void tlm_miss(benchmark::State& state) { stream(state, bench().device, bench().random, kDevice); }
void tlm_two_stage_miss(benchmark::State& state) { stream(state, bench().device, bench().random, kGuestDevice); }

/// What an initiator with DMI does: asks once a page, then copies.
void tlm_dmi(benchmark::State& state) {
  sc_test::RawInitiator& initiator = bench().device;
  const std::vector<std::uint64_t>& addresses = bench().round_robin;
  std::vector<::tlm::tlm_dmi> pages(48);
  bus::PooledPayload& payload = initiator.pool.take();
  payload.dma.device = base::DeviceId(kDevice);
  for (std::size_t i = 0; i < pages.size(); ++i) {
    bus::set_access(payload, false, addresses[i], payload.buffer(), 64);
    if (!initiator.socket->get_direct_mem_ptr(payload, pages[i])) state.SkipWithError("DMI is refused");
  }
  std::size_t next = 0;
  for (auto _ : state) {
    const ::tlm::tlm_dmi& page = pages[next % 48];
    const std::uint64_t address = addresses[next];
    if (address < page.get_start_address() || address > page.get_end_address()) state.SkipWithError("another page");
    std::memcpy(payload.buffer(), page.get_dmi_ptr() + (address - page.get_start_address()), 64);
    benchmark::DoNotOptimize(payload.buffer());
    benchmark::ClobberMemory();
    next = next + 1 == addresses.size() ? 0 : next + 1;
  }
  payload.release();
}

BENCHMARK(tlm_bare);
BENCHMARK(tlm_memory);
BENCHMARK(tlm_dmi);
BENCHMARK(tlm_hit);
BENCHMARK(tlm_miss);
BENCHMARK(tlm_two_stage_miss);

}  // namespace

int sc_main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
