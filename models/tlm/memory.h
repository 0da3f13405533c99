// SPDX-License-Identifier: Apache-2.0
// System memory as an sc_module: any number of ports (DMA, walker, processor, ...) share the path to one store. An
// access waits in its port's queue, takes the path for its bytes, has its effect `latency_ns` after that, and is
// answered then, or when the last-level cache or the cells have done it. Effects are in the order in which the path was
// granted, whatever the cells do. Direct access (DMI) is granted page by page
// when `dmi` asks for it and nobody injects faults; it is counted nowhere.
#pragma once

#include <memory>
#include <string>

#include "params/describe.h"
#include "tlm/channel.h"
#include "tlm/last_level_cache.h"
#include "tlm/memory_faults.h"
#include "tlm/memory_stats.h"
#include "tlm/sparse_store.h"
#include "tlm/target_port.h"
#include "tlm/timed_module.h"
#include "tlm/timed_ring.h"

namespace iommusim::bus {

struct MemoryParams {
  std::uint32_t physical_bits = 40;
  std::uint64_t latency_ns = 80;
  std::uint64_t bandwidth_bytes_per_s = 25'600'000'000;
  std::uint32_t queue_depth = 16;
  std::uint32_t outstanding = 64;
  bool dmi = false;
  LastLevelCacheParams cache{};
  DramParams dram{};

  template <class V>
  static constexpr void describe(V&& v) {
    using base::Unit;
    using params::Range;
    v("physical_bits", &MemoryParams::physical_bits, Unit::kBits, Range{12, 56},
      "memory is the addresses below 2^this");
    v("latency_ns", &MemoryParams::latency_ns, Unit::kNs, Range{0, 1'000'000},
      "last byte on the path to the answer, or to cache and cells if those take time");
    v("bandwidth_bytes_per_s", &MemoryParams::bandwidth_bytes_per_s, Unit::kBytesPerSecond,
      Range{0, Rate::kMaxBytesPerSecond}, "of the path that all ports share; 0 is no limit");
    v("queue_depth", &MemoryParams::queue_depth, Unit::kCount, Range{1, 65536}, "accesses a port holds for the path");
    v("outstanding", &MemoryParams::outstanding, Unit::kCount, Range{1, 65536}, "accesses between path and answer");
    v("dmi", &MemoryParams::dmi, "grants direct access to initiators that ask for it");
    v.group("cache", &MemoryParams::cache, "last-level cache that walks, DMA and processor share");
    v.group("dram", &MemoryParams::dram, "the cells, behind path and cache");
  }
};

class Memory final : public TimedModule, TargetClient {
 public:
  /// One target socket for each name in `ports`. InputError for a geometry of cache or cells that cannot be.
  Memory(const sc_core::sc_module_name& name, const MemoryParams& params, const std::vector<std::string>& ports,
         stats::Group& parent, std::uint64_t timing_seed = 1);

  TargetSocket& port(unsigned index) { return ports_[index]->target.socket; }
  SparseStore& store() { return store_; }
  const MemoryStats& statistics() const { return stats_; }
  const MemoryPortStats& port_statistics(unsigned index) const { return ports_[index]->stats; }
  /// Asked at each access; nullptr: none. Must outlive the simulation.
  void inject(FaultInjector* injector) { injector_ = injector; }

 private:
  struct Access {
    Payload* payload = nullptr;
    Picoseconds since = 0;  ///< BEGIN_REQ
  };
  struct LateAccess {
    std::uint32_t port = 0;
    Access access{};
  };
  struct Port {
    Port(const std::string& name, unsigned index, Memory& memory, std::size_t outstanding);
    TargetPort target;
    base::Ring<Access> responses;
    MemoryPortStats stats;
  };

  static Channel<Access>::Shape path_of(const MemoryParams& params, std::size_t ports);

  bool request(unsigned port, Payload& payload, Picoseconds at) override;
  void response_taken(unsigned port, Payload& payload, Picoseconds at) override;
  void blocking(unsigned port, Payload& payload, sc_core::sc_time& delay) override;
  unsigned debug(unsigned port, Payload& payload) override;
  bool direct(unsigned port, Payload& payload, ::tlm::tlm_dmi& direct) override;
  Picoseconds work(Picoseconds now) override;

  void count_request(unsigned port);
  void take_waiting(Picoseconds now);
  void finish(unsigned port, Picoseconds now);
  /// Has its effect and sets its response; how much later than usual that is told.
  Picoseconds perform(unsigned port, Payload& payload, Picoseconds at);
  void touch(MemoryPortStats& stats, Payload& payload);
  /// What cache and cells add to an access that reaches them at `at`.
  Picoseconds inside(const Payload& payload, Picoseconds at);
  Picoseconds next_event(Picoseconds now) const;

  bool dmi_;
  SparseStore store_;
  Picoseconds latency_;
  Rate rate_;
  Channel<Access> channel_;
  MemoryStats stats_;
  std::vector<std::unique_ptr<Port>> ports_;
  TimedRing<LateAccess> late_;  ///< performed, answered later
  Dram dram_;
  LastLevelCache cache_;
  bool timed_inside_;
  FaultInjector* injector_ = nullptr;
};

}  // namespace iommusim::bus
