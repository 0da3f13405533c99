// SPDX-License-Identifier: Apache-2.0
// The knobs of the cycle model. Every structure has the same shape: entries, ways, policy, lookup_cycles, ports.
// Cycles are of the IOMMU's own clock.
#pragma once

#include <cstdint>

#include "timing/front_params.h"

namespace iommusim::timing {

/// The walk cache of one stage: non-leaf entries, a structure per level. Level n entries skip all reads above level n
/// - 1.
struct WalkCacheStageParams {
  CacheParams level1{32, 0, Policy::kLru, 0, 1};
  CacheParams level2{16, 0, Policy::kLru, 0, 1};
  CacheParams level3{8, 0, Policy::kLru, 0, 1};
  CacheParams level4{4, 0, Policy::kLru, 0, 1};

  template <class V>
  static constexpr void describe(V&& v) {
    v.group("level1", &WalkCacheStageParams::level1, "entries that cover 2 MiB each");
    v.group("level2", &WalkCacheStageParams::level2, "entries that cover 1 GiB each");
    v.group("level3", &WalkCacheStageParams::level3, "entries that cover 512 GiB each (Sv48, Sv57)");
    v.group("level4", &WalkCacheStageParams::level4, "entries that cover 256 TiB each (Sv57)");
  }

  std::uint64_t entries() const {
    return std::uint64_t{level1.entries} + level2.entries + level3.entries + level4.entries;
  }
};

struct WalkCacheParams {
  WalkCacheStageParams first_stage{};
  WalkCacheStageParams second_stage{};
  std::uint32_t lookup_cycles = 1;
  std::uint32_t ports = 1;

  template <class V>
  static constexpr void describe(V&& v) {
    v.group("first_stage", &WalkCacheParams::first_stage, "non-leaf first-stage entries");
    v.group("second_stage", &WalkCacheParams::second_stage, "non-leaf second-stage entries");
    v("lookup_cycles", &WalkCacheParams::lookup_cycles, Unit::kCycle, Range{0, 64},
      "one look-up of all levels of a stage");
    v("ports", &WalkCacheParams::ports, Unit::kCount, Range{1, 16}, "look-ups that may start in one cycle");
  }
};

enum class PteFetch : std::uint8_t { kEntry, kLine };
inline constexpr base::Choice<PteFetch> kPteFetches[] = {
    {"entry", "one page-table entry", PteFetch::kEntry},
    {"line", "the 64-byte line around it: 8 entries (16 of Sv32)", PteFetch::kLine},
};
enum class LineLevels : std::uint8_t { kLast, kAll };
inline constexpr base::Choice<LineLevels> kLineLevels[] = {
    {"last", "reads of level 0, where 4 KiB pages are", LineLevels::kLast},
    {"all", "reads of every level", LineLevels::kAll},
};

/// How wide walks read page tables, and the lines that they keep.
struct WalkLineParams {
  PteFetch fetch = PteFetch::kEntry;
  LineLevels levels = LineLevels::kLast;
  CacheParams kept{16, 0, Policy::kLru, 0, 1};

  template <class V>
  static constexpr void describe(V&& v) {
    v("fetch", &WalkLineParams::fetch, kPteFetches, "what a walk reads of a page table at a time");
    v("levels", &WalkLineParams::levels, kLineLevels, "which reads fetch a line");
    v.group("kept", &WalkLineParams::kept, "lines that are kept for later walks");
  }
};

enum class Allocate : std::uint8_t { kAtFill, kAtMiss };
inline constexpr base::Choice<Allocate> kAllocates[] = {
    {"at_fill", "when its walk has ended", Allocate::kAtFill},
    {"at_miss", "when it enters the table: the entry that gives way is gone while the walk is wanted and under way",
     Allocate::kAtMiss},
};

struct MissTableParams {
  std::uint32_t depth = 32;
  bool merge = true;
  bool hand_over = true;
  Allocate allocate = Allocate::kAtFill;

  template <class V>
  static constexpr void describe(V&& v) {
    v("depth", &MissTableParams::depth, Unit::kCount, Range{1, 4096}, "pages with a walk under way or wanted");
    v("merge", &MissTableParams::merge,
      "a miss on a page in the table waits for that walk instead of starting its own");
    v("hand_over", &MissTableParams::hand_over,
      "those who waited take the walk's result; false: they look the IOTLB up again and may miss once more");
    v("allocate", &MissTableParams::allocate, kAllocates, "when a miss gets its entry of the IOTLB");
  }
};

struct WalkerParams {
  std::uint32_t count = 4;
  std::uint32_t directory_count = 1;
  bool look_again = true;
  std::uint32_t context_fill_cycles = 0;
  std::uint32_t translation_fill_cycles = 0;
  std::uint32_t fault_cycles = 0;

  template <class V>
  static constexpr void describe(V&& v) {
    v("count", &WalkerParams::count, Unit::kCount, Range{1, 1024}, "page-table walks at the same time");
    v("directory_count", &WalkerParams::directory_count, Unit::kCount, Range{1, 64},
      "walks of device and process directories at the same time");
    v("look_again", &WalkerParams::look_again, "probe the cache once more when a walker is granted");
    v("context_fill_cycles", &WalkerParams::context_fill_cycles, Unit::kCycle, Range{0, 64},
      "from the arrival of a device or process context until the request goes on: the fill, and looking again");
    v("translation_fill_cycles", &WalkerParams::translation_fill_cycles, Unit::kCycle, Range{0, 64},
      "from the arrival of the last leaf entry until the request is answered: the fill, and looking again");
    v("fault_cycles", &WalkerParams::fault_cycles, Unit::kCycle, Range{0, 64},
      "from the data that shows a fault until the request is released, but not before all data of the access is there");
  }
};

struct MemoryPortParams {
  std::uint32_t outstanding = 32;
  std::uint32_t issue_cycles = 1;
  std::uint32_t beat_bytes = 0;
  std::uint32_t device_context_beats = 0;
  bool msi_pte_early = false;
  std::uint32_t answer_cycles = 0;
  bool merge_reads = false;

  template <class V>
  static constexpr void describe(V&& v) {
    v("outstanding", &MemoryPortParams::outstanding, Unit::kCount, Range{1, 4096},
      "accesses of the IOMMU itself in flight");
    v("issue_cycles", &MemoryPortParams::issue_cycles, Unit::kCycle, Range{0, 64},
      "between two accesses; 0: any number in one cycle");
    v("beat_bytes", &MemoryPortParams::beat_bytes, Unit::kBytes, Range{0, 64},
      "data of an access that moves in one cycle; 0: all of it");
    v("device_context_beats", &MemoryPortParams::device_context_beats, Unit::kCount, Range{0, 64},
      "beats of the fetch of a device context, if it leaves some of its bytes out; 0: all bytes");
    v("msi_pte_early", &MemoryPortParams::msi_pte_early,
      "an MSI page-table entry is used when its first beat is there");
    v("answer_cycles", &MemoryPortParams::answer_cycles, Unit::kCycle, Range{0, 64},
      "from the last data of an answer to its use");
    v("merge_reads", &MemoryPortParams::merge_reads,
      "a walk whose next page-table entry is being read, alone or with its line, waits for that answer");
  }
};

struct QueueEngineParams {
  std::uint32_t command_start_cycles = 2;
  std::uint32_t command_next_cycles = 2;
  std::uint32_t command_finish_cycles = 1;
  std::uint32_t fence_write_cycles = 0;
  std::uint32_t fault_start_cycles = 1;
  std::uint32_t page_request_start_cycles = 1;
  std::uint32_t page_request_depth = 16;
  std::uint32_t message_depth = 16;

  template <class V>
  static constexpr void describe(V&& v) {
    v("command_start_cycles", &QueueEngineParams::command_start_cycles, Unit::kCycle, Range{1, 1024},
      "from the write of cqt to the fetch of a command");
    v("command_next_cycles", &QueueEngineParams::command_next_cycles, Unit::kCycle, Range{1, 1024},
      "from the end of a command to the fetch of the next");
    v("command_finish_cycles", &QueueEngineParams::command_finish_cycles, Unit::kCycle, Range{0, 1024},
      "from the effect of a command to the move of cqh");
    v("fence_write_cycles", &QueueEngineParams::fence_write_cycles, Unit::kCycle, Range{0, 1024},
      "from the moment in which a fence has nothing to wait for to the write of its data");
    v("fault_start_cycles", &QueueEngineParams::fault_start_cycles, Unit::kCycle, Range{0, 1024},
      "from a fault to the write of its record");
    v("page_request_start_cycles", &QueueEngineParams::page_request_start_cycles, Unit::kCycle, Range{0, 1024},
      "from the arrival of a page request, or the end of the last one, to the look-up of its device context");
    v("page_request_depth", &QueueEngineParams::page_request_depth, Unit::kCount, Range{1, 4096},
      "page requests that wait inside");
    v("message_depth", &QueueEngineParams::message_depth, Unit::kCount, Range{1, 4096},
      "ATS invalidation requests and page responses that wait to leave for devices");
  }
};

struct RegisterParams {
  std::uint32_t access_cycles = 4;
  std::uint32_t write_answer_cycles = 0;
  std::uint32_t busy_cycles = 16;

  template <class V>
  static constexpr void describe(V&& v) {
    v("access_cycles", &RegisterParams::access_cycles, Unit::kCycle, Range{0, 1024},
      "a register access, request to response");
    v("write_answer_cycles", &RegisterParams::write_answer_cycles, Unit::kCycle, Range{0, 1024},
      "the part of access_cycles from the effect of a write to its response");
    v("busy_cycles", &RegisterParams::busy_cycles, Unit::kCycle, Range{0, 1 << 20},
      "how long ddtp and the queue registers stay busy after a write");
  }

  std::uint32_t write_effect_cycles() const { return access_cycles - write_answer_cycles; }
};

enum class LookupOrder : std::uint8_t { kInTurn, kTogether };
inline constexpr base::Choice<LookupOrder> kLookupOrders[] = {
    {"in_turn", "device context, process context, IOTLB one after another", LookupOrder::kInTurn},
    {"together", "all in the time of the first: what hits costs nothing behind another hit", LookupOrder::kTogether},
};

/// The IOMMU's micro-architecture.
struct EngineParams {
  std::uint32_t clock_mhz = 1000;
  std::uint32_t slots = 128;
  std::uint32_t device_statistics = 0;
  bool occupancy_histograms = false;
  bool keep_ats = true;
  IngressParams ingress{};
  LookupOrder lookups = LookupOrder::kInTurn;
  CacheParams micro_tlb{0, 0, Policy::kLru, 1, 1};
  CacheParams ddt_cache{32, 0, Policy::kLru, 1, 1};
  CacheParams pdt_cache{32, 0, Policy::kLru, 1, 1};
  CacheParams directory_cache{16, 0, Policy::kLru, 0, 1};
  CacheParams msi_cache{0, 0, Policy::kLru, 1, 1};
  CacheParams iotlb{64, 0, Policy::kLru, 1, 1};
  WalkCacheParams walk_cache{};
  WalkLineParams walk_lines{};
  MissTableParams miss_table{};
  WalkerParams walkers{};
  PrefetchParams prefetch{};
  InvalidationParams invalidation{};
  MemoryPortParams memory_port{};
  QueueEngineParams queues{};
  RegisterParams registers{};

  template <class V>
  static constexpr void describe(V&& v) {
    v("clock_mhz", &EngineParams::clock_mhz, Unit::kMhz, Range{1, 10000}, "clock of the IOMMU");
    v("slots", &EngineParams::slots, Unit::kCount, Range{1, 65536},
      "requests inside the IOMMU, from acceptance to answer");
    v("device_statistics", &EngineParams::device_statistics, Unit::kCount, Range{0, 4096},
      "devices that have statistics of their own: the first that come, the others together");
    v("occupancy_histograms", &EngineParams::occupancy_histograms,
      "for how many cycles walkers, miss table, slots and input queue were how full");
    v("keep_ats", &EngineParams::keep_ats,
      "what a walk for an ATS translation request finds enters the IOTLB and the walk caches; false: it is left to the "
      "device's own cache");
    v.group("ingress", &EngineParams::ingress, "input queue");
    v("lookups", &EngineParams::lookups, kLookupOrders, "how the caches of a request are looked up");
    v.group("micro_tlb", &EngineParams::micro_tlb, "translations in front of the IOTLB, a structure per device port");
    v.group("ddt_cache", &EngineParams::ddt_cache, "device contexts");
    v.group("pdt_cache", &EngineParams::pdt_cache, "process contexts");
    v.group("directory_cache", &EngineParams::directory_cache, "non-leaf entries of device and process directories");
    v.group("msi_cache", &EngineParams::msi_cache, "MSI page-table entries");
    v.group("iotlb", &EngineParams::iotlb, "translations");
    v.group("walk_cache", &EngineParams::walk_cache, "non-leaf page-table entries");
    v.group("walk_lines", &EngineParams::walk_lines, "page-table entries that are read together");
    v.group("miss_table", &EngineParams::miss_table, "pages that missed the IOTLB");
    v.group("walkers", &EngineParams::walkers, "walkers");
    v.group("prefetch", &EngineParams::prefetch, "walks for pages that nobody has asked for");
    v.group("invalidation", &EngineParams::invalidation, "what invalidations clear, and how long they take");
    v.group("memory_port", &EngineParams::memory_port, "the IOMMU's own port to memory");
    v.group("queues", &EngineParams::queues, "engines of the command, fault and page-request queues");
    v.group("registers", &EngineParams::registers, "register access");
  }
};

}  // namespace iommusim::timing
