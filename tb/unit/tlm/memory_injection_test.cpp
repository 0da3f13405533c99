// SPDX-License-Identifier: Apache-2.0
#include "tlm/memory_injection.h"

#include "iommu_bench.h"

namespace iommusim::bus {
namespace {

using namespace iommu_bench;

struct InjectedBench : IommuBench {
  explicit InjectedBench(IommuMode mode) : IommuBench(params_of(mode)) {
    memory.inject(&injection);
    iommu.inject(&injector);
  }
  static IommuParams params_of(IommuMode mode) {
    IommuParams params;
    params.mode = mode;
    return params;
  }
  void add(timing::InjectionKind kind, timing::AccessTarget target, std::int64_t device = -1) {
    timing::InjectionParams params;
    params.kind = kind;
    params.target = target;
    params.device = device;
    params.delay_ns = kind == timing::InjectionKind::kDelay ? 1000 : 0;
    params.count = 1;
    injector.add("x", params);
  }
  /// The response of a read, and how long it took.
  std::pair<translate::Response, Picoseconds> read() {
    PooledPayload& payload = prepare(false, 0x11100, 8);
    const Picoseconds start = now_ps();
    device.seen.clear();
    device.send(payload);
    sc_test::run_to(start + 5'000'000);
    const auto result = std::pair(payload.dma.response, device.answered(payload) - start);
    payload.release();
    return result;
  }
  stats::Group injections{"injections"};
  timing::Injector injector{1, injections};
  MemoryInjection injection{injector, 0};
};

void strikes_dma_and_own_accesses_apart(IommuMode mode) {
  using timing::AccessTarget;
  using timing::InjectionKind;
  InjectedBench bench(mode);
  bench.read();
  const auto usual = bench.read();
  EXPECT_EQ(usual.first, translate::Response::kSuccess);
  bench.add(InjectionKind::kPoison, AccessTarget::kDma, kDevice + 1);
  EXPECT_EQ(bench.read(), usual) << "another device";
  bench.add(InjectionKind::kPoison, AccessTarget::kDma, kDevice);
  EXPECT_EQ(bench.read().first, translate::Response::kCompleterAbort);
  bench.add(InjectionKind::kAccessFault, AccessTarget::kDma);
  EXPECT_EQ(bench.read().first, translate::Response::kCompleterAbort);
  bench.add(InjectionKind::kDelay, AccessTarget::kDma);
  EXPECT_EQ(bench.read(), std::pair(translate::Response::kSuccess, usual.second + 1'000'000));
  bench.add(InjectionKind::kDelay, AccessTarget::kOwn);
  EXPECT_EQ(bench.read(), usual) << "nothing but DMA is read";
  EXPECT_EQ(*bench.injector.strikes("x"), 3U);
  const std::uint64_t left = bench.iommu.own_accesses();
  bench.write_register(spec::kDdtpOffset, 8, 0);
  sc_test::run_to(now_ps() + 1'000'000);
  bench.write_register(spec::kDdtpOffset, 8, bench.tables.ddt_root >> 2 | 4);
  sc_test::run_to(now_ps() + 1'000'000);
  EXPECT_EQ(bench.iommu.own_accesses(), left);
}

SC_TEST(MemoryInjection, StrikesDmaAndOwnAccessesApartInCycleMode) {
  strikes_dma_and_own_accesses_apart(IommuMode::kCycle);
}
SC_TEST(MemoryInjection, StrikesDmaAndOwnAccessesApartInFunctionalMode) {
  strikes_dma_and_own_accesses_apart(IommuMode::kFunctional);
}

void fails_a_walk(IommuMode mode) {
  InjectedBench bench(mode);
  bench.add(timing::InjectionKind::kAccessFault, timing::target_of(translate::Structure::kFirstStage));
  const std::uint64_t left = bench.iommu.own_accesses();
  const std::uint64_t arrived = bench.memory.port_statistics(1).requests.value();
  EXPECT_EQ(bench.read().first, translate::Response::kUnsupportedRequest);
  EXPECT_EQ(bench.memory.store().load64(bench.tables.fault_address(0)) & 0xfff, 5U);
  EXPECT_EQ(bench.iommu.own_accesses() - left, bench.memory.port_statistics(1).requests.value() - arrived)
      << "what is struck does not leave";
}

SC_TEST(MemoryInjection, FailsAWalkInCycleMode) { fails_a_walk(IommuMode::kCycle); }
SC_TEST(MemoryInjection, FailsAWalkInFunctionalMode) { fails_a_walk(IommuMode::kFunctional); }

}  // namespace
}  // namespace iommusim::bus
