// SPDX-License-Identifier: Apache-2.0
// Any micro-architecture: parameters that pass every check, small structures preferred since they stall, evict and
// overflow. Zero bytes give caches off, one walker, one slot.
#pragma once

#include "choices.h"
#include "timing/plain_driver.h"

namespace iommusim::timing::test {

inline CacheParams random_cache(Choices& choices, unsigned least_lookup) {
  constexpr std::uint32_t kEntries[] = {0, 1, 2, 3, 4, 8, 16, 64, 512};
  constexpr Policy kAllPolicies[] = {Policy::kLru, Policy::kTreePlru, Policy::kFifo, Policy::kRandom};
  CacheParams params;
  params.entries = choices.pick(kEntries);
  params.ways = choices.below(5);
  if (params.ways != 0 && params.entries % params.ways != 0) params.ways = 1;
  params.policy = choices.pick(kAllPolicies);
  params.lookup_cycles = least_lookup + choices.below(3);
  params.ports = 1 + choices.below(3);
  constexpr Index kAllIndexes[] = {Index::kLow, Index::kFolded, Index::kFoldedSpace};
  params.index = choices.pick(kAllIndexes);
  if (params.contradiction() != nullptr) params.policy = Policy::kLru;
  return params;
}

inline void random_walk_cache(Choices& choices, WalkCacheStageParams& stage) {
  for (CacheParams* level : {&stage.level1, &stage.level2, &stage.level3, &stage.level4})
    *level = random_cache(choices, 0);
}

inline EngineParams random_engine(Choices& choices) {
  constexpr std::uint32_t kSlots[] = {1, 2, 3, 8, 128};
  constexpr std::uint32_t kCounts[] = {1, 2, 3, 16};
  EngineParams params;
  params.slots = choices.pick(kSlots);
  params.keep_ats = choices.flag();
  params.ingress = {choices.pick(kCounts), 1 + choices.below(3)};
  params.ingress.hit_under_miss = choices.flag();
  params.ingress.page_register = choices.flag();
  params.ingress.write_buffer_bytes = choices.below(40);
  params.micro_tlb = random_cache(choices, 0);
  params.prefetch = {choices.flag() ? Prefetch::kNextPage : Prefetch::kNone, 1 + choices.below(3), choices.flag(),
                     choices.pick(kCounts)};
  constexpr InvalidationScope kScopes[] = {InvalidationScope::kExact, InvalidationScope::kSpace,
                                           InvalidationScope::kEverything};
  params.invalidation = {choices.pick(kScopes), choices.flag(), choices.below(5), choices.below(2)};
  params.device_statistics = choices.below(3);
  params.occupancy_histograms = choices.flag();
  params.ddt_cache = random_cache(choices, 0);
  params.pdt_cache = random_cache(choices, 0);
  params.directory_cache = random_cache(choices, 0);
  params.msi_cache = random_cache(choices, 0);
  params.iotlb = random_cache(choices, 0);
  random_walk_cache(choices, params.walk_cache.first_stage);
  random_walk_cache(choices, params.walk_cache.second_stage);
  params.walk_cache.lookup_cycles = choices.below(4);
  params.walk_cache.ports = 1 + choices.below(2);
  params.walk_lines.fetch = choices.flag() ? PteFetch::kLine : PteFetch::kEntry;
  params.walk_lines.levels = choices.flag() ? LineLevels::kAll : LineLevels::kLast;
  params.walk_lines.kept = random_cache(choices, 0);
  params.miss_table = {choices.pick(kCounts), choices.flag()};
  params.miss_table.allocate = choices.flag() ? Allocate::kAtMiss : Allocate::kAtFill;
  params.walkers.count = choices.pick(kCounts);
  params.walkers.directory_count = 1 + choices.below(2);
  params.walkers.look_again = choices.flag();
  params.memory_port = {choices.pick(kCounts), 1 + choices.below(2)};
  params.memory_port.merge_reads = choices.flag();
  params.queues.command_start_cycles = 1 + choices.below(4);
  params.queues.command_finish_cycles = choices.below(3);
  params.queues.fault_start_cycles = choices.below(3);
  params.queues.page_request_start_cycles = choices.below(3);
  params.queues.page_request_depth = choices.pick(kCounts);
  params.queues.message_depth = choices.pick(kCounts);
  params.registers.busy_cycles = choices.below(20);
  return params;
}

inline PlainDriverParams random_driver(Choices& choices) {
  PlainDriverParams params;
  params.memory_cycles = choices.below(40);
  params.memory_jitter = choices.below(60);
  params.forward_cycles = choices.below(60);
  params.seed = choices.byte();
  return params;
}

inline translate::FunctionalCacheParams random_caches(Choices& choices) {
  constexpr std::uint32_t kEntries[] = {0, 1, 2, 4, 64, 1024};
  return {choices.pick(kEntries), choices.pick(kEntries), choices.pick(kEntries)};
}

}  // namespace iommusim::timing::test
