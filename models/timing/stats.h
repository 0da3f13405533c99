// SPDX-License-Identifier: Apache-2.0
// Statistics of the cycle model. A *probe* is one look-up with exactly one outcome; a *request* ends exactly once.
// Times are cycles of the IOMMU's clock. The identities hold at the end of every run and of every measuring window.
#pragma once

#include <array>
#include <deque>

#include "stats/stats.h"
#include "translate/ask.h"

namespace iommusim::timing {

/// Probes of one cache, and what became of its misses.
struct CacheStats : stats::Group {
  using stats::Group::Group;
  Counter lookups{*this, "lookups", Unit::kCount, "probes"};
  Counter hits{*this, "hits", Unit::kCount, "probes that found an entry that serves the access"};
  Counter misses{*this, "misses", Unit::kCount, "probes that found none"};
  Ratio hit_rate{*this, "hit_rate", hits, lookups, "hits / lookups"};
  Counter fills{*this, "fills", Unit::kCount, "entries written"};
  Counter evictions{*this, "evictions", Unit::kCount, "valid entries that gave way to a fill"};
  Counter invalidated{*this, "invalidated", Unit::kCount, "entries removed by commands"};
  Counter overtaken{*this, "overtaken", Unit::kCount, "fills dropped because an invalidation came while the walk ran"};
  Identity probes{*this, "lookups = hits + misses", [this] { return lookups.value(); },
                  [this] { return hits.value() + misses.value(); }};
};

/// A cache whose misses wait, merge or walk (IOTLB, device and process contexts).
struct MissingCacheStats : CacheStats {
  using CacheStats::CacheStats;
  Counter walks{*this, "miss_walks", Unit::kCount, "misses that started a walk"};
  Counter look_again_hits{*this, "miss_look_again_hits", Unit::kCount, "misses that hit when a walker was granted"};
  Counter merged{*this, "miss_merged", Unit::kCount, "misses that waited for the walk of another request"};
  Occupancy waiting{*this, "miss_waiting", Unit::kCount, "misses that wait for a walker or for room in the miss table"};
  Identity ends{*this, "misses + waiting at start = walks + look-again hits + merged + waiting",
                [this] { return misses.value() + waiting.data().level_at_start(); },
                [this] { return walks.value() + look_again_hits.value() + merged.value() + waiting.level(); }};
};

/// The same by page size: 4 KiB, 2 MiB, 1 GiB, other.
struct SizeCounters {
  std::array<stats::Counter*, 4> hits;
  std::array<stats::Counter*, 4> fills;
};

/// Translations. `Base` says what becomes of misses.
template <class Base>
struct TranslationStats : Base {
  using Base::Base;
  using Counter = stats::Counter;
  using Identity = stats::Identity;
  using Unit = stats::Unit;
  Counter hits_4k{*this, "hits_4k", Unit::kCount, "hits on 4 KiB entries"};
  Counter hits_2m{*this, "hits_2m", Unit::kCount, "hits on 2 MiB entries"};
  Counter hits_1g{*this, "hits_1g", Unit::kCount, "hits on 1 GiB entries"};
  Counter hits_other{*this, "hits_other", Unit::kCount, "hits on entries of other sizes"};
  Counter fills_4k{*this, "fills_4k", Unit::kCount, "4 KiB entries written"};
  Counter fills_2m{*this, "fills_2m", Unit::kCount, "2 MiB entries written"};
  Counter fills_1g{*this, "fills_1g", Unit::kCount, "1 GiB entries written"};
  Counter fills_other{*this, "fills_other", Unit::kCount, "entries of other sizes written"};
  Identity sizes{*this, "hits = sum of hits by size", [this] { return this->hits.value(); },
                 [this] { return hits_4k.value() + hits_2m.value() + hits_1g.value() + hits_other.value(); }};
  SizeCounters by_size() {
    return {{&hits_4k, &hits_2m, &hits_1g, &hits_other}, {&fills_4k, &fills_2m, &fills_1g, &fills_other}};
  }
};
/// What lies in front of the IOTLB: its misses are look-ups of the IOTLB.
using TlbStats = TranslationStats<CacheStats>;

struct IotlbStats : TranslationStats<MissingCacheStats> {
  using TranslationStats<MissingCacheStats>::TranslationStats;
  Occupancy miss_table{*this, "miss_table", Unit::kCount,
                       "entries of the miss table; counted with occupancy_histograms"};
  Histogram miss_table_levels{*this, "miss_table_levels", Unit::kCount, "fill of the miss table, by cycles"};
};

/// Kept lines of page tables.
struct WalkLineStats : CacheStats {
  using CacheStats::CacheStats;
  Counter refused{*this, "refused", Unit::kCount,
                  "misses whose entry lay in a kept line, but would have ended the request in a fault"};
  Counter failed{*this, "failed", Unit::kCount, "lines that memory answered with an error: the entry is read alone"};
};

/// One kind of walk.
struct WalkStats : stats::Group {
  using stats::Group::Group;
  Counter started{*this, "started", Unit::kCount, "walks started"};
  Counter ended_ok{*this, "ended_ok", Unit::kCount, "walks that found what they looked for"};
  Counter ended_fault{*this, "ended_fault", Unit::kCount, "walks that ended in a fault"};
  Counter ended_cancelled{*this, "ended_cancelled", Unit::kCount, "prefetches that were given up"};
  Occupancy active{*this, "active", Unit::kCount, "walkers busy; the limit is the number of walkers"};
  Histogram levels{*this, "levels", Unit::kCount, "walkers busy, by cycles; with occupancy_histograms"};
  Histogram reads{*this, "reads", Unit::kCount, "memory reads of one walk"};
  Histogram cycles{*this, "cycles", Unit::kCycle, "from the grant of the walker to its release"};
  Identity ends{*this, "started + active at start = ended + active",
                [this] { return started.value() + active.data().level_at_start(); },
                [this] { return ended_ok.value() + ended_fault.value() + ended_cancelled.value() + active.level(); }};
};

/// Walks of page tables, by what started them. A walk that an invalidation overtakes is not replayed: its request uses
/// what it found, and the next one misses.
struct PageWalkStats : WalkStats {
  using WalkStats::WalkStats;
  Counter started_demand{*this, "started_demand", Unit::kCount, "walks for requests of devices"};
  Counter started_ats{*this, "started_ats", Unit::kCount, "walks for ATS translation requests"};
  Counter started_prefetch{*this, "started_prefetch", Unit::kCount, "walks for pages that nobody has asked for"};
  Counter started_debug{*this, "started_debug", Unit::kCount, "walks for the debug interface"};
  Identity causes{*this, "started = sum over causes", [this] { return started.value(); },
                  [this] {
                    return started_demand.value() + started_ats.value() + started_prefetch.value() +
                           started_debug.value();
                  }};
};

/// What became of the pages that were to be prefetched.
struct PrefetchStats : stats::Group {
  using stats::Group::Group;
  Counter wanted{*this, "wanted", Unit::kCount, "pages to be prefetched"};
  Counter no_room{*this, "no_room", Unit::kCount, "of these, given up for too many that waited"};
  Counter not_needed{*this, "not_needed", Unit::kCount,
                     "of these, found in the IOTLB or the miss table, or their contexts not cached"};
  Counter walks{*this, "walks", Unit::kCount, "of these, walked for"};
  Occupancy waiting{*this, "waiting", Unit::kCount, "pages that wait for a walker; the limit is prefetch.depth"};
  Counter filled{*this, "filled", Unit::kCount, "translations that prefetches found"};
  Counter in_vain{*this, "in_vain", Unit::kCount, "prefetches that found none they might keep"};
  Counter useful{*this, "useful", Unit::kCount, "prefetched translations that a request used"};
  Counter late{*this, "late", Unit::kCount, "of these, requests waited for already"};
  Counter useless{*this, "useless", Unit::kCount, "prefetched translations that left unused"};
  Ratio accuracy{*this, "accuracy", useful, filled, "useful / filled"};
  Identity ends{*this, "wanted + waiting at start = no room + not needed + walks + waiting",
                [this] { return wanted.value() + waiting.data().level_at_start(); },
                [this] { return no_room.value() + not_needed.value() + walks.value() + waiting.level(); }};
};

struct RequestStats : stats::Group {
  using stats::Group::Group;
  Counter accepted{*this, "accepted", Unit::kCount, "requests taken in"};
  Counter completed{*this, "completed", Unit::kCount, "requests translated, or passed through"};
  Counter bypassed{*this, "bypassed", Unit::kCount, "of these, requests that needed no translation"};
  Counter faulted{*this, "faulted", Unit::kCount, "requests answered with an error"};
  Counter dropped{*this, "dropped", Unit::kCount, "requests that found no room, answered with an error at once"};
  Counter register_hits{*this, "register_hits", Unit::kCount,
                        "requests whose page their port had asked for last: no look-up"};
  Counter register_joined{*this, "register_joined", Unit::kCount,
                          "the same, while that page was looked up or walked for"};
  Counter residence{*this, "residence", Unit::kCycle, "cycles that ended requests spent inside, within the window"};
  Occupancy in_flight{*this, "in_flight", Unit::kCount, "requests inside; the limit is the number of slots"};
  Occupancy queue{*this, "queue", Unit::kCount, "requests in the input queue; counted with occupancy_histograms"};
  Occupancy write_bytes{*this, "write_bytes", Unit::kBytes,
                        "data of writes that wait for their translation; counted with ingress.write_buffer_bytes"};
  Histogram queue_levels{*this, "queue_levels", Unit::kCount, "fill of the input queue, by cycles"};
  Histogram slot_levels{*this, "slot_levels", Unit::kCount, "slots taken, by cycles"};
  Histogram latency{*this, "latency", Unit::kCycle,
                    "translation latency: from acceptance to the end of the translation"};
  Histogram latency_hit{*this, "latency_hit", Unit::kCycle, "the same, for requests that needed no walk"};
  Histogram latency_miss{*this, "latency_miss", Unit::kCycle,
                         "the same, for requests that missed the IOTLB or a directory cache"};
  Identity ends{*this, "accepted + in flight at start = completed + faulted + dropped + in flight",
                [this] { return accepted.value() + in_flight.data().level_at_start(); },
                [this] { return completed.value() + faulted.value() + dropped.value() + in_flight.level(); }};
};

/// Accesses at the IOMMU's own memory port, by what they are for.
struct MemoryPortStats : stats::Group {
  MemoryPortStats(stats::Group& parent, const std::string& name);
  void count(const translate::MemoryAsk& ask) {
    ++*by_level_[static_cast<unsigned>(ask.structure)][ask.level];
    ++issued;
  }
  std::uint64_t of(translate::Structure structure, unsigned level) const {
    return by_level_[static_cast<unsigned>(structure)][level]->value();
  }

  Counter issued{*this, "issued", Unit::kCount, "accesses issued"};
  Counter injected{*this, "injected", Unit::kCount, "of these, answered with an injected error and not sent to memory"};
  Counter merged{*this, "merged", Unit::kCount, "reads of page-table entries that waited for the answer of another"};
  Counter merged_in_vain{*this, "merged_in_vain", Unit::kCount,
                         "of these, those that had to read for themselves after all"};
  Occupancy outstanding{*this, "outstanding", Unit::kCount, "accesses in flight; the limit is memory_port.outstanding"};

 private:
  static constexpr unsigned kLevels = 5;
  std::deque<Counter> counters_;
  std::array<std::array<Counter*, kLevels>, translate::kStructureCount> by_level_{};
};

struct CommandStats : stats::Group {
  using stats::Group::Group;
  Counter executed{*this, "executed", Unit::kCount, "commands completed"};
  Counter held{*this, "held", Unit::kCount, "commands that set an error bit and stay at the head"};
  Counter iotinval_page{*this, "iotinval_page", Unit::kCount, "IOTINVAL of an address (AV = 1)"};
  Counter iotinval_space{*this, "iotinval_space", Unit::kCount,
                         "IOTINVAL of a whole address space (PSCV or GV, no address)"};
  Counter iotinval_all{*this, "iotinval_all", Unit::kCount, "IOTINVAL of everything"};
  Counter iodir{*this, "iodir", Unit::kCount, "IODIR commands"};
  Counter ats{*this, "ats", Unit::kCount, "ATS commands: messages to devices"};
  Counter fences{*this, "fences", Unit::kCount, "IOFENCE.C commands"};
  Histogram fence_cycles{*this, "fence_cycles", Unit::kCycle, "how long a fence waited for earlier requests"};
  Histogram command_cycles{*this, "command_cycles", Unit::kCycle, "from the start of a command to its end"};
};

struct PageRequestStats : stats::Group {
  using stats::Group::Group;
  Counter received{*this, "received", Unit::kCount, "page request and stop marker messages handled"};
  Counter queued{*this, "queued", Unit::kCount, "of these, written into the page-request queue"};
  Counter responses{*this, "responses", Unit::kCount, "of these, answered by the IOMMU itself"};
  Counter faulted{*this, "faulted", Unit::kCount, "of these, reported as faults"};
};

struct FaultStats : stats::Group {
  FaultStats(stats::Group& parent, const std::string& name);
  void count(std::uint16_t cause);

  Counter reported{*this, "reported", Unit::kCount, "faults to be recorded"};
  Counter recorded{*this, "recorded", Unit::kCount, "records written into the fault queue"};
  Counter lost{*this, "lost", Unit::kCount, "records dropped: queue off, full, or in error"};
  Counter suppressed{*this, "suppressed", Unit::kCount, "faults that are not to be recorded (DTF)"};

 private:
  std::deque<Counter> counters_;
  std::array<Counter*, 512> by_cause_{};
};

/// Everything the engine counts; named after the IOMMU instance.
struct EngineStats : stats::Group {
  using stats::Group::Group;
  RequestStats requests{*this, "requests"};
  MissingCacheStats ddt_cache{*this, "ddt_cache"};
  MissingCacheStats pdt_cache{*this, "pdt_cache"};
  CacheStats directory_cache{*this, "directory_cache"};
  CacheStats msi_cache{*this, "msi_cache"};
  IotlbStats iotlb{*this, "iotlb"};
  TlbStats micro_tlb{*this, "micro_tlb"};
  struct WalkCacheStats : stats::Group {
    WalkCacheStats(stats::Group& parent, const std::string& name);
    CacheStats& at(bool second_stage, unsigned level) { return levels_[(second_stage ? 4U : 0U) + level - 1]; }

   private:
    std::deque<stats::Group> stages_;
    std::deque<CacheStats> levels_;
  } walk_cache{*this, "walk_cache"};
  WalkLineStats walk_lines{*this, "walk_lines"};
  PageWalkStats walks{*this, "walks"};
  PrefetchStats prefetch{*this, "prefetch"};
  WalkStats directory_walks{*this, "directory_walks"};
  WalkStats process_directory_walks{*this, "process_directory_walks"};
  MemoryPortStats memory_port{*this, "memory_port"};
  CommandStats commands{*this, "commands"};
  FaultStats faults{*this, "faults"};
  PageRequestStats page_requests{*this, "page_requests"};
  Counter debug_requests{*this, "debug_requests", Unit::kCount, "translations through the debug interface"};
  Ratio reads_per_walk{*this, "reads_per_walk", [this] { return walks.reads.data().sum(); },
                       [this] { return walks.reads.data().count(); }, "memory reads of page-table walks / walks ended"};

  /// From now on the levels are kept by cycles.
  void keep_histograms() {
    requests.queue.keep_levels(requests.queue_levels);
    requests.in_flight.keep_levels(requests.slot_levels);
    iotlb.miss_table.keep_levels(iotlb.miss_table_levels);
    walks.active.keep_levels(walks.levels);
  }
};

}  // namespace iommusim::timing
