// SPDX-License-Identifier: Apache-2.0
// A cache in front of the cells of memory that walks, DMA and the processor share: which lines it holds and when their
// data is there. Time only; the bytes are in the store, so it is coherent by construction.
// Model: an access of several lines is done with its last. A line on its way from the cells serves who comes meanwhile
// when it is there. A write that the cache takes is done when it is in the cache; a partial write of a line that is not
// there fetches it behind that. A line that was written goes to the cells when it gives way, and nobody waits for that.
#pragma once

#include "timing/cache.h"
#include "tlm/dram.h"

namespace iommusim::bus {

/// Who accesses memory.
enum class MemoryClient : std::uint8_t { kIommu, kDma, kProcessor };

struct LastLevelCacheParams {
  std::uint64_t bytes = 0;
  std::uint32_t ways = 16;
  std::uint32_t line_bytes = 64;
  timing::Policy policy = timing::Policy::kLru;
  std::uint64_t hit_ns = 20;
  bool allocate_iommu = true;
  bool allocate_dma_reads = false;
  bool allocate_dma_writes = true;

  template <class V>
  static constexpr void describe(V&& v) {
    using base::Unit;
    using params::Range;
    using P = LastLevelCacheParams;
    v("bytes", &P::bytes, Unit::kBytes, Range{0, 1 << 30}, "size; 0: there is none");
    v("ways", &P::ways, Unit::kCount, Range{1, 1024}, "associativity");
    v("line_bytes", &P::line_bytes, Unit::kBytes, Range{16, 4096}, "a line, a power of two");
    v("policy", &P::policy, timing::kReplacements, "which line of a full set gives way");
    v("hit_ns", &P::hit_ns, Unit::kNs, Range{0, 1'000'000}, "a look-up; all that a hit adds to memory.latency_ns");
    v("allocate_iommu", &P::allocate_iommu, "what the IOMMU reads and writes itself enters: walks, queues");
    v("allocate_dma_reads", &P::allocate_dma_reads, "what devices read enters");
    v("allocate_dma_writes", &P::allocate_dma_writes,
      "what devices write enters; false: it goes to the cells, and a copy here is brought up to date");
  }
};

struct LastLevelCacheStats : stats::Group {
  using stats::Group::Group;
  struct Client : stats::Group {
    using stats::Group::Group;
    Counter lookups{*this, "lookups", Unit::kCount, "lines looked up"};
    Counter hits{*this, "hits", Unit::kCount, "lines found, those still on their way included"};
    Counter misses{*this, "misses", Unit::kCount, "lines not found"};
    Ratio hit_rate{*this, "hit_rate", hits, lookups, "hits / lookups"};
    Identity sum{*this, "lookups = hits + misses", [this] { return lookups.value(); },
                 [this] { return hits.value() + misses.value(); }};
  };
  Client iommu{*this, "iommu"};
  Client dma{*this, "dma"};
  Client processor{*this, "processor"};
  Counter late_hits{*this, "late_hits", Unit::kCount, "hits that waited for the line to arrive"};
  Counter fills{*this, "fills", Unit::kCount, "lines that entered"};
  Counter write_backs{*this, "write_backs", Unit::kCount, "written lines that gave way"};
};

class LastLevelCache {
 public:
  using Picoseconds = base::Picoseconds;

  /// InputError for a geometry that cannot be. `cells` is behind it.
  LastLevelCache(const LastLevelCacheParams& params, std::uint64_t seed, Dram& cells, stats::Group& parent);

  bool enabled() const { return lines_.enabled(); }
  /// When an access that comes at `at` is done.
  Picoseconds access(MemoryClient client, bool write, std::uint64_t address, std::uint32_t bytes, Picoseconds at);
  const LastLevelCacheStats& statistics() const { return stats_; }

 private:
  struct Key {
    std::uint64_t line = 0;
    std::uint64_t hash() const { return timing::mix(line); }
    std::uint64_t index() const { return line; }
    std::uint64_t space() const { return 0; }
    friend bool operator==(const Key& a, const Key& b) { return a.line == b.line; }
  };
  struct Line {
    Picoseconds there = 0;
    bool written = false;
  };

  Picoseconds line(MemoryClient client, bool write, std::uint64_t number, std::uint32_t bytes, Picoseconds at);
  bool allocates(MemoryClient client, bool write) const;
  LastLevelCacheStats::Client& count(MemoryClient client);

  LastLevelCacheParams params_;
  Dram& cells_;
  timing::Cache<Key, Line> lines_;
  LastLevelCacheStats stats_;
};

}  // namespace iommusim::bus
