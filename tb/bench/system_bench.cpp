// SPDX-License-Identifier: Apache-2.0
// Translations a second of the whole machine (system_machine.h): statistics on, nothing recorded. `hits` is round robin
// over 48 pages of an IOTLB of 64 entries, `misses` uniform over 64 Ki pages, Sv39, 8 walkers, memory of 50 cycles. The
// sweeps change one thing of a stream whose simulated work stays the same: how many devices share it, how many pages
// are mapped. The rate of `database_*` is by the clock on the wall, for two threads work; "CPU" is that of both
// together.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <string>

#include "record/database_sink.h"
#include "record/recorder.h"
#include "system_machine.h"

namespace {

using namespace iommusim;

constexpr std::uint64_t kChunk = 20'000;  ///< DMAs of one iteration

/// Pages of this process in memory, KiB.
double resident_kib() {
  long pages = 0, resident = 0;
  if (std::FILE* const file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%ld %ld", &pages, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return static_cast<double>(resident) * 4;
}

bench::MachineParams machine_params(unsigned devices, std::uint32_t outstanding) {
  bench::MachineParams params;
  params.devices = devices;
  params.outstanding = outstanding;
  params.bus.credits = outstanding < 64 ? 64 : outstanding;
  params.iommu.engine.walkers.count = 8;
  return params;
}

constexpr unsigned kDeviceCounts[] = {1, 10, 100, 1000};
constexpr unsigned kPageLogs[] = {10, 14, 18, 24};
constexpr std::uint32_t kInFlight = 1000;  ///< of all devices of a sweep together

struct Machines {
  Machines()
      : plain("plain", machine_params(1, 64)),
        recorded("recorded", machine_params(1, 64)),
        uncached("uncached", uncached_params()) {
    plain.tables().attach(1, 1 << 16);
    recorded.tables().attach(1, 1 << 16);
    for (unsigned i = 0; i < std::size(kDeviceCounts); ++i) {
      const unsigned count = kDeviceCounts[i];
      shared.push_back(
          std::make_unique<bench::Machine>(("shared" + std::to_string(count)).c_str(), shared_params(count)));
      for (unsigned device = 0; device < count; ++device) {
        shared[i]->tables().attach(device, count == 1 ? 2048 : 512);
        shared[i]->source(device).stream = {device, 1500 / count < 1 ? 1 : 1500 / count, false, 1};
      }
    }
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    plain.power_up();
    recorded.power_up();
    recorded.iommu().record(recorder);
    uncached.power_up();
    for (const auto& machine : shared) machine->power_up();
  }
  /// Every walk reads all three levels.
  static bench::MachineParams uncached_params() {
    bench::MachineParams params = machine_params(1, 64);
    timing::WalkCacheStageParams& stage = params.iommu.engine.walk_cache.first_stage;
    for (timing::CacheParams* const level : {&stage.level1, &stage.level2, &stage.level3, &stage.level4})
      level->entries = 0;
    return params;
  }
  /// All contexts and pages of the sweep fit.
  static bench::MachineParams shared_params(unsigned devices) {
    bench::MachineParams params = machine_params(devices, kInFlight / devices);
    params.iommu.engine.ddt_cache.entries = 1024;
    params.iommu.engine.iotlb.entries = 2048;
    return params;
  }

  /// The machine without walk caches; its only device has the number `log` and 2^log pages.
  bench::Machine& with_pages(std::uint32_t log) {
    if (std::find(mapped_.begin(), mapped_.end(), log) == mapped_.end()) {
      uncached.tables().attach(log, 1ULL << log);
      mapped_.push_back(log);
    }
    return uncached;
  }

  bench::Machine plain;
  bench::Machine recorded;
  bench::Machine uncached;
  record::Recorder recorder;
  std::vector<std::unique_ptr<bench::Machine>> shared;

 private:
  std::vector<std::uint32_t> mapped_;
};

Machines& machines() {
  static auto* const all = new Machines;  // modules cannot be destroyed before the kernel ends
  return *all;
}

void measure(benchmark::State& state, bench::Machine& machine) {
  if (machine.run(kChunk) != 0) return state.SkipWithError("a DMA failed");  // caches are warm, pools have grown
  const timing::EngineStats& stats = machine.iommu().statistics();
  const auto snapshot = [&] {
    return std::array<double, 4>{static_cast<double>(stats.iotlb.hits.value()),
                                 static_cast<double>(stats.memory_port.issued.value()),
                                 static_cast<double>(sc_core::sc_delta_count()), resident_kib()};
  };
  const auto before = snapshot();
  const base::Picoseconds start = bus::now_ps();
  for (auto _ : state)
    if (machine.run(kChunk) != 0) state.SkipWithError("a DMA failed");
  const auto count = static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(kChunk);
  const auto after = snapshot();
  const auto each = static_cast<double>(count);
  state.SetItemsProcessed(count);
  state.counters["hit_rate"] = (after[0] - before[0]) / each;
  state.counters["own_reads"] = (after[1] - before[1]) / each;
  state.counters["deltas"] = (after[2] - before[2]) / each;
  state.counters["grown_kib"] = after[3] - before[3];
  state.counters["sim_ns"] = static_cast<double>(bus::now_ps() - start) / 1000 / each;
}

void system_hits(benchmark::State& state) {
  bench::Machine& machine = machines().plain;
  machine.source(0).stream = {1, 48, false, 1};
  measure(state, machine);
}

void system_misses(benchmark::State& state) {
  bench::Machine& machine = machines().plain;
  machine.source(0).stream = {1, 1 << 16, true, 1};
  measure(state, machine);
}

/// Everything into a database, from opening the file to its last byte.
void record_to_database(benchmark::State& state, const bench::Stream& stream) {
  constexpr std::uint64_t kRows = 10 * kChunk;
  bench::Machine& machine = machines().recorded;
  machine.source(0).stream = stream;
  const std::string file =
      (std::filesystem::temp_directory_path() / "iommusim-bench-").string() + std::to_string(getpid()) + ".db";
  for (auto _ : state) {
    machines().recorder.attach(record::make_database_sink(file));
    if (machine.run(kRows) != 0) state.SkipWithError("a DMA failed");
    machines().recorder.close();
    state.PauseTiming();
    state.counters["bytes_a_row"] = static_cast<double>(std::filesystem::file_size(file)) / double{kRows};
    std::filesystem::remove(file);
    state.ResumeTiming();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(kRows));
}

void database_hits(benchmark::State& state) { record_to_database(state, {1, 48, false, 1}); }
void database_misses(benchmark::State& state) { record_to_database(state, {1, 1 << 16, true, 1}); }

void devices_hits(benchmark::State& state) {
  measure(state, *machines().shared[static_cast<std::size_t>(state.range(0))]);
}

/// 48 pages spread evenly over all that are mapped.
void pages_hits(benchmark::State& state) {
  const auto log = static_cast<std::uint32_t>(state.range(0));
  bench::Machine& machine = machines().with_pages(log);
  machine.source(0).stream = {log, 48, false, (1ULL << log) / 48};
  measure(state, machine);
}

/// Uniform over all that are mapped; three reads a walk.
void pages_misses(benchmark::State& state) {
  const auto log = static_cast<std::uint32_t>(state.range(0));
  bench::Machine& machine = machines().with_pages(log);
  machine.source(0).stream = {log, 1ULL << log, true, 1};
  measure(state, machine);
}

void by_page_log(benchmark::internal::Benchmark* benchmark) {
  for (const unsigned log : kPageLogs) benchmark->Arg(log);
}

BENCHMARK(system_hits);
BENCHMARK(system_misses);
BENCHMARK(database_hits)->MeasureProcessCPUTime()->UseRealTime();
BENCHMARK(database_misses)->MeasureProcessCPUTime()->UseRealTime();
BENCHMARK(devices_hits)->DenseRange(0, 3);
BENCHMARK(pages_hits)->Apply(by_page_log);
BENCHMARK(pages_misses)->Apply(by_page_log);

}  // namespace

int sc_main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
