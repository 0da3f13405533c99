// SPDX-License-Identifier: Apache-2.0
// Nanoseconds a translation through the C interface, mode functional: a stream that its 64 entries for translations
// hold (48 pages, round robin), uniformly random pages out of 64 Ki (Sv39), and the same under a second stage (Sv39x4).
#include <benchmark/benchmark.h>
#include <iommusim.h>

#include <cstring>

#include "base/random.h"
#include "table_builder.h"

namespace {

using namespace iommusim;
using translate::test::AddressSpace;

constexpr std::uint32_t kDevice = 5;
constexpr std::uint64_t kBase = 0x100000000;

/// Flat memory of the host: the tables are built sparsely first and copied into it, since a look-up in a map would be
/// what is measured. Two windows: physical frames, and guest frames where the table builder puts them.
class FlatMemory {
 public:
  explicit FlatMemory(const translate::test::SparseMemory& tables) {
    tables.for_each_word([this](std::uint64_t address, std::uint64_t word) {
      if (char* const to = at(address, 8); to != nullptr) std::memcpy(to, &word, 8);
    });
  }
  char* at(std::uint64_t address, std::uint32_t bytes) {
    for (Window& window : windows_)
      if (address - window.base <= kWindowBytes - bytes) return window.bytes.data() + (address - window.base);
    return nullptr;
  }
  static iommusim_memory_status read(void* user, std::uint64_t address, std::uint32_t bytes, void* data) {
    const char* const from = static_cast<FlatMemory*>(user)->at(address, bytes);
    if (from == nullptr) return IOMMUSIM_MEMORY_ACCESS_FAULT;
    std::memcpy(data, from, bytes);
    return IOMMUSIM_MEMORY_OK;
  }
  static iommusim_memory_status write(void* user, std::uint64_t address, std::uint32_t bytes, const void* data) {
    char* const to = static_cast<FlatMemory*>(user)->at(address, bytes);
    if (to == nullptr) return IOMMUSIM_MEMORY_ACCESS_FAULT;
    std::memcpy(to, data, bytes);
    return IOMMUSIM_MEMORY_OK;
  }

 private:
  static constexpr std::uint64_t kWindowBytes = 4 << 20;
  struct Window {
    std::uint64_t base;
    std::vector<char> bytes = std::vector<char>(kWindowBytes);
  };
  Window windows_[2] = {{0x80000000}, {translate::test::kGuestOffset + 0x40000000}};
};

/// Random pages out of 64 Ki, or round robin over 48 of them.
std::vector<iommusim_request> stream_of(bool random) {
  base::Random numbers(1);
  std::vector<iommusim_request> requests;
  for (std::uint64_t i = 0; i < 48 * 1024; ++i) {
    iommusim_request request{};
    request.iova = kBase + (random ? numbers.below(1 << 16) : i % 48) * 4096 + i / 48 % 64 * 64;
    request.bytes = 64;
    request.device = kDevice;
    requests.push_back(request);
  }
  return requests;
}

void translate(benchmark::State& state, unsigned second_stage, bool random) {
  translate::test::SparseMemory tables;
  translate::test::Frames frames{0x80000000};
  translate::test::Frames guest_frames{0x40000000};
  AddressSpace space(tables, frames, guest_frames, 8, second_stage);
  for (std::uint64_t page = 0; page < 1 << 16; ++page) space.map(kBase + page * 4096, 0x800000000 + page * 4096);
  const std::uint64_t directory = frames.take();
  const std::uint64_t context[] = {1, space.iohgatp(1), spec::dc_ta::kPscid.of(2), space.fsc()};
  for (unsigned i = 0; i < 4; ++i) tables.store(directory + 32 * kDevice + 8 * i, context[i]);

  FlatMemory memory(tables);
  iommusim_host host{};
  host.size = sizeof host;
  host.user = &memory;
  host.read = FlatMemory::read;
  host.write = FlatMemory::write;
  iommusim_iommu* const iommu = iommusim_create("functional: {translations: 64}", &host, nullptr);
  iommusim_mmio_write(iommu, spec::kDdtpOffset, 8, directory >> 2 | 2);
  const std::vector<iommusim_request> requests = stream_of(random);
  std::size_t next = 0;
  iommusim_result result{};
  for (auto _ : state) {
    iommusim_translate(iommu, &requests[next], &result);
    benchmark::DoNotOptimize(result);
    if (result.translated == 0) state.SkipWithError("a request faults");
    next = next + 1 == requests.size() ? 0 : next + 1;
  }
  iommusim_destroy(iommu);
}

void c_api_hit(benchmark::State& state) { translate(state, 0, false); }
void c_api_miss(benchmark::State& state) { translate(state, 0, true); }
void c_api_two_stage_miss(benchmark::State& state) { translate(state, 8, true); }
BENCHMARK(c_api_hit);
BENCHMARK(c_api_miss);
BENCHMARK(c_api_two_stage_miss);

}  // namespace
