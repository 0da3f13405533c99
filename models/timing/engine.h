// SPDX-License-Identifier: Apache-2.0
// The IOMMU in cycles, without SystemC. A shell (a plain loop, or a SystemC module) feeds it requests, memory answers
// and register accesses, calls step() at the cycles that next_event() names, and carries away what it finds in
// finished() and memory_requests(). One cycle of the engine, in this order until nothing moves any more:
//   (1) memory answers, (2) command queue, (3) fault records and interrupt messages, (4) look-ups that end,
//   (5) walkers granted, (6) requests entering the pipeline, (7) memory accesses leaving.
// What a request does next is asked of its translate::Translation: no rule of the architecture is here, only time.
#pragma once

#include <string>

#include "base/ring.h"
#include "timing/invalidation_log.h"
#include "timing/iotlb.h"
#include "timing/lookup_stage.h"
#include "timing/memory_port.h"
#include "timing/miss_table.h"
#include "timing/queue_engines.h"
#include "timing/slot.h"
#include "timing/walk_cache.h"
#include "translate/registers.h"

namespace iommusim::timing {

/// A request that leaves the IOMMU.
struct Finished {
  std::uint64_t cookie = 0;
  translate::Outcome outcome{};
  FenceTicket ticket{};  ///< to be given back with forwarded_done() if outcome.kind is kTranslated
  base::Cycle accepted = 0;
  base::Cycle done = 0;
};

class Engine {
 public:
  /// `seed` is the timing seed. InputError for a geometry that cannot be.
  Engine(const EngineParams& params, const spec::Implementation& implementation, std::uint64_t seed,
         stats::Group& parent, const std::string& name = "iommu");

  /// The parameter of the implementation for which the cycle model has no time yet (ATS with page requests, the
  /// performance monitor, the debug interface), or nullptr. Shells refuse it.
  static const char* unsupported(const spec::Implementation& implementation);

  // Requests. They must not cross a 4 KiB border; `cookie` comes back with the result.
  bool can_accept() const { return !ingress_.full() && free_count_ != 0; }
  void accept(const translate::Request& request, std::uint64_t cookie, base::Cycle now);
  base::Ring<Finished>& finished() { return finished_; }
  void forwarded_done(FenceTicket ticket);

  // The IOMMU's own memory accesses.
  base::Ring<MemoryRequest>& memory_requests() { return memory_.issued(); }
  void memory_answer(std::uint32_t tag, const translate::MemoryAnswer& answer, base::Cycle ready) {
    memory_.answer(tag, answer, ready);
  }

  // Registers: what software sees at `now`.
  std::uint64_t read_register(std::uint32_t offset, unsigned bytes) const { return registers_.read(offset, bytes); }
  void write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value, base::Cycle now);
  std::uint16_t wires() const { return registers_.wires(); }
  translate::Registers& registers() { return registers_; }

  /// Does what can be done at `now`, which never goes back.
  void step(base::Cycle now);
  /// The next cycle at which step() can do something without new input; kNever: none.
  base::Cycle next_event() const;
  /// Nothing inside, nothing to do.
  bool idle() const;
  /// For deadlock reports: every component's state.
  std::string describe() const;

  const EngineParams& params() const { return params_; }
  EngineStats& stats() { return stats_; }
  const EngineStats& stats() const { return stats_; }

 private:
  friend class QueueEngines;

  bool step_answers(base::Cycle now);
  bool step_lookups(base::Cycle now);
  bool step_grants(base::Cycle now);
  bool step_ingress(base::Cycle now);

  void advance(std::uint32_t i, base::Cycle now);
  void finish(std::uint32_t i, base::Cycle now);
  void release(std::uint32_t i);

  void end_device_lookup(std::uint32_t i, base::Cycle now);
  void end_device_walk(std::uint32_t i, bool ok, base::Cycle now);
  void fill_device(std::uint32_t i, base::Cycle now);
  void lookup_directory(std::uint32_t i);
  void fill_directory(std::uint32_t i);

  void end_translation_lookup(std::uint32_t i, base::Cycle now);
  void start_miss(std::uint32_t i, base::Cycle now);
  void close_miss(std::uint32_t i, base::Cycle now);
  void end_walk(std::uint32_t i, bool ok, base::Cycle now);
  void fill_translation(std::uint32_t i);
  void fill_walk(std::uint32_t i);

  void invalidate(const translate::Invalidation& invalidation);
  bool device_overtaken(const Slot& slot) const;

  static PageKey miss_key(const translate::TranslationKey& key) {
    return PageKey::make(key.tag, 12, false, key.iova >> 12);
  }
  static std::uint64_t directory_prefix(const translate::DirectoryKey& key, unsigned level) {
    return (std::uint64_t{level} << 32) | (key.device.value >> (key.leaf_bits + 9 * (level - 1)));
  }

  EngineParams params_;
  EngineStats stats_;
  translate::Registers registers_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::size_t free_count_ = 0;

  base::Ring<std::uint32_t> ingress_;
  base::Cycle next_pick_ = 0;

  Cache<DeviceKey, spec::DeviceContext> ddt_cache_;
  Cache<DeviceKey, translate::DirectoryEntry> directory_cache_;
  LookupStage device_stage_;
  MissTable<DeviceKey> device_misses_;
  SlotList device_walker_queue_;
  std::uint32_t directory_walkers_busy_ = 0;

  Iotlb iotlb_;
  LookupStage translation_stage_;
  MissTable<PageKey> misses_;
  SlotList stalled_;
  SlotList walker_queue_;
  std::uint32_t walkers_busy_ = 0;

  WalkCache walk_cache_;
  LookupStage walk_stage_;

  MemoryPort memory_;
  InvalidationLog invalidations_;
  QueueEngines queues_;
  base::Ring<Finished> finished_;

  // Fences: requests are counted in one of two buckets; a fence switches buckets and waits until the old one is empty.
  std::uint8_t epoch_ = 0;
  std::uint64_t translating_[2] = {0, 0};
  std::uint64_t forwarded_reads_[2] = {0, 0};
  std::uint64_t forwarded_writes_[2] = {0, 0};
};

}  // namespace iommusim::timing
