// SPDX-License-Identifier: Apache-2.0
// Translations a second: the cycle model under the plain driver on a stream of hits and on a stream of misses, and the
// functional engine on the same requests. Items are translations; docs/performance.md records a run.
#include <benchmark/benchmark.h>

#include "timed_machine.h"

namespace {

using namespace iommusim;
using timing::test::AddressSpace;
using timing::test::Machine;
using timing::test::TimedMachine;

constexpr std::uint32_t kDevice = 5;
constexpr std::uint64_t kBase = 0x100000000;

/// Sv39 (first stage only), 4 KiB pages from kBase on.
void map_pages(Machine& tables, std::uint64_t pages) {
  AddressSpace space = tables.space(8, 0);
  for (std::uint64_t page = 0; page < pages; ++page) space.map(kBase + page * 4096, 0x200000000 + page * 4096);
  tables.attach(kDevice, space);
}

/// Requests in a fixed pseudo-random order over the pages.
std::vector<translate::Request> requests_over(std::uint64_t pages) {
  base::Random random(1);
  std::vector<translate::Request> requests;
  for (int i = 0; i < 4096; ++i) {
    requests.push_back(Machine::request(kDevice, kBase + random.below(pages) * 4096 + random.below(64) * 64));
    requests.back().bytes = 64;
  }
  return requests;
}

/// Keeps the IOMMU as full as it lets itself be.
void stream(benchmark::State& state, std::uint64_t pages) {
  timing::PlainDriverParams driver;
  driver.memory_cycles = 100;
  TimedMachine machine({}, driver);
  map_pages(machine.tables, pages);
  const std::vector<translate::Request> requests = requests_over(pages);
  std::size_t next = 0;
  std::uint64_t begun = 0;
  const base::Cycle start = machine.driver.now();
  for (auto _ : state) {
    for (std::uint64_t goal = begun + 1000; begun < goal;) {
      if (machine.driver.offer(requests[next], begun)) {
        next = next + 1 == requests.size() ? 0 : next + 1;
        ++begun;
      } else {
        machine.driver.advance();
      }
    }
    machine.driver.finished().clear();
  }
  machine.driver.run_until_idle();
  state.SetItemsProcessed(static_cast<std::int64_t>(begun));
  const auto& iotlb = machine.engine.stats().iotlb;
  state.counters["miss_ratio"] = static_cast<double>(iotlb.misses.value()) / static_cast<double>(iotlb.lookups.value());
  state.counters["cycles_each"] =
      static_cast<double>(machine.driver.now() - start) / static_cast<double>(begun == 0 ? 1 : begun);
}

void cycle_hits(benchmark::State& state) { stream(state, 32); }
void cycle_misses(benchmark::State& state) { stream(state, 8192); }
BENCHMARK(cycle_hits);
BENCHMARK(cycle_misses);

void functional(benchmark::State& state) {
  Machine tables;
  map_pages(tables, 8192);
  const std::vector<translate::Request> requests = requests_over(8192);
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(tables.engine.translate(requests[next]));
    next = next + 1 == requests.size() ? 0 : next + 1;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(functional);

}  // namespace
