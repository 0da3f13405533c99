// SPDX-License-Identifier: Apache-2.0
// Host time of the mapping core on plain threads, through the ioctls: IOAS_MAP and IOAS_UNMAP with the mock driver, one
// device attached. "pages" counts 4 KiB pages, so its inverse is the time a page of a map and unmap. And many areas in
// one address space: IOMMUSIM_BENCH_AREAS (default 100,000) is how many.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <cstdlib>

#include "base/random.h"
#include "drivers/mock_device.h"
#include "hal/buddy_frames.h"
#include "hal/sim_process.h"
#include "hal/sparse_memory.h"
#include "hal/thread_os.h"
#include "iommufd/context.h"
#include "iommufd/device.h"
#include "uapi/ioctls.h"

namespace {

using namespace iommusim;

constexpr std::uint64_t kArguments = 0x10000, kBuffer = 0x100000000, kBufferSpa = 0x200000000, kPage = 4096;
constexpr std::uint64_t kBufferBytes = 1ULL << 30;
constexpr std::uint32_t kReadWrite = uapi::kIommuIoasMapReadable | uapi::kIommuIoasMapWriteable;

/// One program with a device. `sizes`: of the leaves of its page table.
struct Program {
  explicit Program(std::uint64_t sizes, bool attach = true)
      : iommu(os, options(sizes)), host(os, memory), context(iommufd::Context::open(host)) {
    mallopt(M_TRIM_THRESHOLD, 1 << 30);  // as in a long run: what the heap has it keeps
    mallopt(M_TOP_PAD, 64 << 20);
    process.map_frames(kArguments, kPage, hal::kUserRead | hal::kUserWrite);
    process.map_linear(kBuffer, kBufferBytes, kBufferSpa, hal::kUserRead | hal::kUserWrite);
    uapi::IommuIoasAlloc alloc{};
    call(uapi::kIommuIoasAlloc, alloc);
    ioas = alloc.out_ioas_id;
    if (!attach) return;
    check(iommufd::device_bind(*context, iommu.add_device(), device));
    iommufd::ObjectId page_table = ioas;
    check(iommufd::device_attach(*context, device, page_table));
  }
  ~Program() {
    if (device == 0) return;
    check(iommufd::device_detach(*context, device));
    check(iommufd::device_unbind(*context, device));
  }
  static drivers::MockOptions options(std::uint64_t sizes) {
    drivers::MockOptions out;
    out.page_sizes = sizes;
    return out;
  }
  static void check(int error) {
    if (error != 0) std::abort();
  }

  template <class T>
  void call(std::uint32_t command, T& argument) {
    argument.size = sizeof argument;
    check(process.copy_to_user(kArguments, &argument, sizeof argument));
    check(context->ioctl(process, command, kArguments));
    check(process.copy_from_user(&argument, kArguments, sizeof argument));
  }
  std::uint64_t map(std::uint64_t bytes) {
    uapi::IommuIoasMap argument{0, kReadWrite, ioas, 0, kBuffer, bytes, 0};
    call(uapi::kIommuIoasMap, argument);
    return argument.iova;
  }
  void map_at(std::uint64_t bytes, std::uint64_t iova) {
    uapi::IommuIoasMap argument{0, kReadWrite | uapi::kIommuIoasMapFixedIova, ioas, 0, kBuffer, bytes, iova};
    call(uapi::kIommuIoasMap, argument);
  }
  void unmap(std::uint64_t iova, std::uint64_t bytes) {
    uapi::IommuIoasUnmap argument{0, ioas, iova, bytes};
    call(uapi::kIommuIoasUnmap, argument);
  }

  hal::ThreadOs os;
  hal::SparseMemory memory;
  hal::BuddyFrames frames{os, memory, 0x1000000, 16 << 20};
  hal::SimProcess process{os, memory, frames};
  drivers::MockIommu iommu;
  iommufd::Host host;
  std::shared_ptr<iommufd::Context> context;
  iommufd::ObjectId ioas = 0, device = 0;
};

constexpr std::uint64_t kSmall = 1ULL << 12, kLarge = kSmall | 1ULL << 21;

void map_unmap(benchmark::State& state, std::uint64_t sizes, std::uint64_t bytes) {
  Program program(sizes);
  for (auto _ : state) program.unmap(program.map(bytes), bytes);
  state.counters["pages"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(bytes / kPage),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK_CAPTURE(map_unmap, 4KiB, kLarge, kPage);
BENCHMARK_CAPTURE(map_unmap, 2MiB_of_4KiB_leaves, kSmall, 2ULL << 20);
BENCHMARK_CAPTURE(map_unmap, 2MiB_of_2MiB_leaves, kLarge, 2ULL << 20);
BENCHMARK_CAPTURE(map_unmap, 1GiB_of_4KiB_leaves, kSmall, 1ULL << 30);
BENCHMARK_CAPTURE(map_unmap, 1GiB_of_2MiB_leaves, kLarge, 1ULL << 30);

/// Large pages off: the page table is filled page by page.
void map_unmap_page_by_page(benchmark::State& state) {
  Program program(kLarge, false);
  uapi::IommuOption option{0, uapi::kIommuOptionHugePages, uapi::kIommuOptionOpSet, 0, program.ioas, 0};
  program.call(uapi::kIommuOption, option);
  Program::check(iommufd::device_bind(*program.context, program.iommu.add_device(), program.device));
  iommufd::ObjectId page_table = program.ioas;
  Program::check(iommufd::device_attach(*program.context, program.device, page_table));
  constexpr std::uint64_t kBytes = 64ULL << 20;
  for (auto _ : state) program.unmap(program.map(kBytes), kBytes);
  state.counters["pages"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(kBytes / kPage),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(map_unmap_page_by_page);

std::uint64_t wanted_areas() {
  const char* const text = std::getenv("IOMMUSIM_BENCH_AREAS");
  return text ? std::strtoull(text, nullptr, 10) : 100000;
}

/// Areas of one page with a hole of one page behind each, in random order; then one area of them is mapped and
/// unmapped, by a fixed IOVA and by the automatic choice, which has to find the only hole of two pages.
void many_areas(benchmark::State& state, bool automatic) {
  const std::uint64_t count = wanted_areas();
  Program program(kSmall, false);
  const auto before = static_cast<double>(mallinfo2().uordblks);
  std::vector<std::uint32_t> order(count);
  base::Random numbers(1);
  for (std::uint64_t i = 0; i < count; ++i) order[i] = static_cast<std::uint32_t>(i);
  for (std::uint64_t i = count; i > 1; --i) std::swap(order[i - 1], order[numbers.below(i)]);
  const double list = static_cast<double>(count * sizeof order[0]);
  for (const std::uint32_t i : order) program.map_at(kPage, (1 + 2ULL * i) * kPage);
  state.counters["bytes_an_area"] =
      (static_cast<double>(mallinfo2().uordblks) - before - list) / static_cast<double>(count);
  for (auto _ : state) {
    if (automatic) {
      program.unmap(program.map(2 * kPage), 2 * kPage);
    } else {
      const std::uint64_t iova = (1 + 2 * numbers.below(count)) * kPage;
      program.unmap(iova, kPage);
      program.map_at(kPage, iova);
    }
  }
}
BENCHMARK_CAPTURE(many_areas, fixed, false)->Iterations(100000);
BENCHMARK_CAPTURE(many_areas, automatic, true)->Iterations(100000);

}  // namespace
