// SPDX-License-Identifier: Apache-2.0
// The IOMMU in cycles, without SystemC. A shell (a plain loop, or a SystemC module) feeds it requests, memory answers
// and register accesses, calls step() at the cycles that next_event() names, and carries away what it finds in
// finished() and memory_requests(). One cycle of the engine, in this order until nothing moves any more:
//   (1) memory answers, (2) command queue, (3) fault records, interrupt messages, page requests, the debug interface,
//   (4) look-ups that end, (5) walkers granted, (6) requests entering the pipeline, (7) memory accesses leaving.
// What a request does next is asked of its translate::Translation: no rule of the architecture is here, only time.
#pragma once

#include <string>

#include "base/ring.h"
#include "record/recorder.h"
#include "timing/context_lookup.h"
#include "timing/delay_queue.h"
#include "timing/device_stats.h"
#include "timing/injector.h"
#include "timing/invalidation_log.h"
#include "timing/iotlb.h"
#include "timing/memory_port.h"
#include "timing/monitor.h"
#include "timing/page_requests.h"
#include "timing/queue_engines.h"
#include "timing/slot.h"
#include "timing/walk_cache.h"
#include "timing/walk_lines.h"
#include "timing/walk_reads.h"
#include "translate/registers.h"

namespace iommusim::timing {

/// A request that leaves the IOMMU.
struct Finished {
  std::uint64_t cookie = 0;
  translate::Outcome outcome{};
  FenceTicket ticket{};  ///< to be given back with forwarded_done() if `forwards`
  base::Cycle accepted = 0;
  base::Cycle released = 0;  ///< the IOMMU has decided
  base::Cycle done = 0;      ///< and the answer leaves
  bool forwards = false;     ///< a DMA goes on to memory
  Timeline timeline{};
};

class Engine {
 public:
  /// `seed` is the timing seed. InputError for a geometry that cannot be.
  Engine(const EngineParams& params, const spec::Implementation& implementation, std::uint64_t seed,
         stats::Group& parent, const std::string& name = "iommu", unsigned ports = 1);

  // Requests. They must not cross a 4 KiB border; `cookie` comes back with the result.
  bool can_accept() const {
    return has_room() || (params_.ingress.when_full == WhenFull::kDrop && finished_.size() < params_.slots);
  }
  /// The same for this request, whose data may have to wait inside.
  bool can_accept(const translate::Request& request) const {
    return can_accept() && (!request.is_write() || has_room_for_write(request.bytes));
  }
  bool has_room_for_write(std::uint32_t bytes) const {
    const std::uint32_t limit = params_.ingress.write_buffer_bytes;
    return limit == 0 || write_bytes_ == 0 || write_bytes_ + bytes <= limit;
  }
  /// `port` is that of the device, less than the number that the engine was made for.
  void accept(const translate::Request& request, std::uint64_t cookie, base::Cycle now, std::uint32_t port = 0);
  base::Ring<Finished>& finished() { return finished_; }
  void forwarded_done(FenceTicket ticket);

  // The IOMMU's own memory accesses.
  base::Ring<MemoryRequest>& memory_requests() { return memory_.issued(); }
  void memory_answer(std::uint32_t tag, const translate::MemoryAnswer& answer, base::Cycle ready) {
    memory_.answer(tag, answer, ready);
  }

  // Messages from and to devices (ATS, PRI). The shell takes messages() away; the IOMMU waits when they are too many.
  base::Ring<translate::DeviceMessage>& messages() { return messages_; }
  /// What a message must not overtake: the requests accepted so far. They are passed() when the last of them is in the
  /// pipeline, where a fence sees it.
  std::uint64_t ingress_mark() const { return entered_; }
  bool passed(std::uint64_t mark) const { return picked_ >= mark; }
  bool can_accept_page_request() const { return !page_requests_.full(); }
  void page_request(const translate::PageRequest& request, base::Cycle now) {
    if (recorder_ != nullptr) record_page_request(request, now);
    page_requests_.arrive(request);
  }
  /// false: it answers no outstanding request and is ignored.
  bool invalidation_completion(const translate::InvalidationCompletion& message, base::Cycle now);
  void invalidation_time_out(std::uint32_t itag_vector, base::Cycle now);

  /// Asked at each event from now on; null: nothing is injected. Must outlive the engine.
  void inject(Injector* injector);

  /// Commands, faults and page requests are told from now on; null: nobody listens. Must outlive the engine.
  void record(record::Recorder* recorder) { recorder_ = recorder; }

  /// The gate of the command queue: free running, or one command a grant.
  void set_commands_run_freely(bool freely) { queues_.set_commands_run_freely(freely); }
  /// false: no command is pending, or one is under way.
  bool grant_command(base::Cycle now) { return queues_.grant_command(now); }

  // Registers: what software sees at `now`.
  std::uint64_t read_register(std::uint32_t offset, unsigned bytes, base::Cycle now) {
    monitor_.catch_up(now);
    return registers_.read(offset, bytes);
  }
  void write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value, base::Cycle now);
  std::uint16_t wires() const { return registers_.wires(); }
  translate::Registers& registers() { return registers_; }

  /// Does what can be done at `now`, which never goes back.
  void step(base::Cycle now);
  /// The next cycle at which step() can do something without new input; kNever: none.
  base::Cycle next_event() const;
  /// The next cycle at which step() has something to do in any case: the cycle counter overflows. Not a reason to wait
  /// for, when nothing else happens.
  base::Cycle next_timer() const { return monitor_.next_overflow(); }
  /// Nothing inside, nothing to do.
  bool idle() const { return quiet() && queues_.idle(); }
  /// As idle(), but a command may wait for an invalidation completion.
  bool quiet() const;
  /// For deadlock reports: every component's state.
  std::string describe() const;

  const EngineParams& params() const { return params_; }
  EngineStats& stats() { return stats_; }
  const EngineStats& stats() const { return stats_; }

 private:
  friend class QueueEngines;
  friend class PageRequests;

  // Slots of the engine itself, behind those of requests. They are in no statistics of requests.
  static constexpr std::uint32_t kOwnSlots = 2;
  std::uint32_t page_request_slot() const { return params_.slots; }
  std::uint32_t debug_slot() const { return params_.slots + 1; }
  bool is_own(std::uint32_t i) const { return i >= params_.slots; }
  bool is_prefetch(std::uint32_t i) const { return i >= params_.slots + kOwnSlots; }
  bool has_room() const {
    return ingress_.size() < params_.ingress.depth && free_count_ != 0 && errors_.size() < params_.slots;
  }
  bool held_by_miss() const { return !params_.ingress.hit_under_miss && missed_inside_ != 0; }
  void note_miss(Slot& slot) {
    if (slot.walked) return;
    slot.walked = true;
    ++missed_inside_;
  }

  // front.cpp
  void buffer_write(std::uint32_t bytes, base::Cycle now);
  void unbuffer_write(std::uint32_t bytes, base::Cycle now);
  void drop(std::uint64_t cookie, base::Cycle now);
  void lookup_translation(std::uint32_t i, base::Cycle now);
  void start_translation_lookup(std::uint32_t i, base::Cycle now);
  void end_micro_lookup(std::uint32_t i, base::Cycle now);
  void translation_found(std::uint32_t i, const translate::TranslationEntry& found, base::Cycle now);
  void release_followers(std::uint32_t i, base::Cycle now);
  SlotList take_followers(std::uint32_t i);
  bool join_walk(std::uint32_t i);
  bool meets_register(std::uint32_t i, base::Cycle now);
  void fill_front(const Slot& slot, const translate::TranslationKey& key, const translate::TranslationEntry& entry);
  void invalidate_front(const translate::Invalidation& invalidation);

  // prefetch.cpp
  struct WantedPrefetch {
    translate::Request request{};
    std::uint32_t port = 0;
  };
  void want_prefetches(const translate::Request& from, const translate::TranslationEntry& entry, std::uint32_t port,
                       base::Cycle now);
  bool step_prefetches(base::Cycle now);
  void start_prefetch(const WantedPrefetch& wanted, base::Cycle now);
  void finish_prefetch(std::uint32_t i, base::Cycle now);
  /// false: the slot is taken.
  bool start_own(std::uint32_t i, const translate::Request& request, base::Cycle now);
  void finish_own(std::uint32_t i);

  bool step_answers(base::Cycle now);
  void take_answer(const MemoryPort::Answer& answer, base::Cycle now);
  bool step_delays(base::Cycle now);
  base::Cycle fault_delay(const Slot& slot, std::uint32_t beats) const;
  void go_on_after(std::uint32_t i, std::uint32_t cycles, base::Cycle now);
  bool together_with_last_lookup(const Slot& slot, base::Cycle now) const {
    return params_.lookups == LookupOrder::kTogether && slot.looked_up_at == now;
  }
  base::Cycle next_ingress() const;
  bool step_debug(base::Cycle now);
  // engine_record.cpp: what is told to the recorder, if there is one.
  void record_command(base::Cycle started, base::Cycle now, const std::array<std::uint64_t, 2>& words);
  void record_fault(const translate::FaultRecord& fault, std::uint32_t i, base::Cycle now);
  void record_page_request(const translate::PageRequest& request, base::Cycle now);
  // engine_injection.cpp: what injections do beyond memory.
  base::Cycle stall_cycles(InjectionQueue queue, base::Cycle now);
  void invalidation_sent(const translate::DeviceMessage& message, base::Cycle now);
  bool strike_completion(const translate::InvalidationCompletion& message, base::Cycle now);
  bool take_completion(const translate::InvalidationCompletion& message, base::Cycle now);
  void invalidations_changed(base::Cycle now);
  bool step_put_off(base::Cycle now);
  void cycles_overflow(base::Cycle now);
  void count_event(translate::HpmEvent event, const Slot& slot, const translate::AddressSpaceTag& tag = {});
  void count_walk(const Slot& slot);
  bool step_lookups(base::Cycle now);
  bool step_more_lookups(base::Cycle now);
  bool step_context_lookups(base::Cycle now);
  bool step_directory_grants(base::Cycle now);
  bool step_grants(base::Cycle now);
  bool step_ingress(base::Cycle now);

  void enter(std::uint32_t i, const translate::Request& request, std::uint64_t cookie, base::Cycle now);
  void advance(std::uint32_t i, base::Cycle now);
  void finish(std::uint32_t i, base::Cycle now);
  void count_finished(const Slot& slot, base::Cycle now);
  void release(std::uint32_t i);

  template <class Context>
  void end_context_lookup(ContextLookup<Context>& contexts, std::uint32_t i, base::Cycle now);
  template <class Context>
  void start_context_walk(ContextLookup<Context>& contexts, std::uint32_t i, base::Cycle now);
  template <class Context>
  void end_walk_of(ContextLookup<Context>& contexts, std::uint32_t i, bool ok, base::Cycle now);
  void end_context_walk(std::uint32_t i, bool ok, base::Cycle now);
  void leave_context_walk(std::uint32_t i, base::Cycle now);
  void fill_device(std::uint32_t i, base::Cycle now);
  void fill_process(std::uint32_t i, base::Cycle now);
  void lookup_directory(std::uint32_t i);
  void fill_directory(std::uint32_t i);

  void lookup_msi(std::uint32_t i, base::Cycle now);
  void end_msi_lookup(std::uint32_t i, base::Cycle now);
  void fill_msi(std::uint32_t i);
  void end_translation_lookup(std::uint32_t i, base::Cycle now);
  void miss_translation(std::uint32_t i, base::Cycle now);
  void start_miss(std::uint32_t i, base::Cycle now);
  void open_miss(Slot& slot, base::Cycle now);
  void give_way_back(Slot& slot);
  stats::Counter& walk_cause(std::uint32_t i);
  void begin_walk(Slot& slot, stats::Counter& cause, base::Cycle now);
  void close_miss(std::uint32_t i, base::Cycle now);
  void give_room(std::uint32_t i, base::Cycle now);
  void wait_to_read(std::uint32_t i);
  void end_walk(std::uint32_t i, bool ok, base::Cycle now);
  bool keeps_what_it_finds(const Slot& slot) const;
  void fill_translation(std::uint32_t i, base::Cycle now);
  void fill_walk(std::uint32_t i);

  // walk_reads.cpp: lines, and reads that several walks share.
  bool shares_reads() const { return params_.memory_port.merge_reads || walk_lines_.on(); }
  void read_entry(std::uint32_t i, base::Cycle now);
  void end_line_lookup(std::uint32_t i, base::Cycle now);
  void request_entry(std::uint32_t i);
  void issue_read(std::uint32_t i, bool line);
  bool try_shared(std::uint32_t i, std::uint64_t word);
  void answer_read(const MemoryPort::Answer& answer, base::Cycle now);
  void keep_line(std::uint32_t i, std::uint64_t address, const WalkLines::Words& words);
  void entry_updated(const Slot& slot, const translate::MemoryAnswer& answer);

  void invalidate(const translate::Invalidation& invalidation);
  void invalidate_translations(const translate::Invalidation& invalidation);
  void clear_translations(translate::Invalidation invalidation);
  /// How long the caches are busy with it.
  base::Cycle invalidation_cycles(const translate::Invalidation& invalidation) const;
  void invalidate_contexts(const translate::Invalidation& invalidation);
  bool selects_contexts(const translate::Invalidation& invalidation, const Slot& slot) const;
  /// Whether what the slot's request found may be stale: an invalidation that `selects` came since it entered the
  /// pipeline.
  template <class Selects>
  bool overtaken(const Slot& slot, Selects&& selects) const {
    return invalidations_.any_since(slot.picked_at_invalidation, selects);
  }

  static PageKey miss_key(const translate::TranslationKey& key) {
    return PageKey::make(key.tag, 12, false, key.iova >> 12);
  }

  EngineParams params_;
  EngineStats stats_;
  translate::Registers registers_;
  Monitor monitor_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::size_t free_count_ = 0;

  base::Ring<std::uint32_t> ingress_;
  DelayQueue delays_;  ///< what ask() says is done, or is at hand, when their cycle has come
  base::Ring<Finished> errors_;
  base::Cycle next_pick_ = 0;
  std::uint64_t entered_ = 0;  ///< into ingress_, and out of it into the pipeline
  std::uint64_t picked_ = 0;

  struct HeldDirectory {
    translate::DirectoryKey key{};
    translate::DirectoryEntry entry{};
  };
  ContextLookup<spec::DeviceContext> devices_;
  ContextLookup<spec::ProcessContext> processes_;
  Cache<ContextKey, HeldDirectory> directory_cache_;
  SlotList directory_walker_queue_;
  std::uint32_t directory_walkers_busy_ = 0;

  struct HeldMsi {
    translate::MsiKey key{};
    translate::MsiEntry entry{};
  };
  Cache<PageKey, HeldMsi> msi_cache_;
  LookupStage msi_stage_;

  struct MicroTlb {
    MicroTlb(const CacheParams& params, std::size_t slots, std::uint64_t seed, TlbStats& tlb_stats,
             PrefetchStats& prefetch)
        : tlb(params, seed, tlb_stats, prefetch), stage(slots, params.lookup_cycles, params.ports) {}
    Iotlb tlb;
    LookupStage stage;
  };
  std::vector<MicroTlb> micro_tlbs_;  ///< by port; none: they are switched off
  /// The page that a port asked for last.
  struct PageRegister {
    PageKey page{};
    translate::TranslationEntry entry{};
    std::uint32_t looking = kNoSlot;  ///< the request that looks it up
    bool used = false;
    bool has_entry = false;
  };
  std::vector<PageRegister> page_registers_;
  std::vector<SlotList> followers_;  ///< by the slot that looks up for them
  bool more_lookups_ = false;        ///< there are lines or micro TLBs
  std::uint32_t missed_inside_ = 0;
  std::uint64_t write_bytes_ = 0;
  base::Ring<WantedPrefetch> prefetch_wanted_;
  std::vector<std::uint32_t> prefetch_free_;
  DeviceStatistics device_stats_;

  Iotlb iotlb_;
  LookupStage translation_stage_;
  MissTable<PageKey> misses_;
  SlotList stalled_;
  SlotList walker_queue_;
  std::uint32_t walkers_busy_ = 0;

  WalkCache walk_cache_;
  LookupStage walk_stage_;
  WalkLines walk_lines_;
  LookupStage line_stage_;
  WalkReads walk_reads_;
  translate::Translation before_shared_{};  ///< a process, should what it is given not serve

  MemoryPort memory_;
  InvalidationLog invalidations_;
  QueueEngines queues_;
  PageRequests page_requests_;
  base::Ring<translate::DeviceMessage> messages_;
  bool debug_wanted_ = false;
  base::Ring<Finished> finished_;

  record::Recorder* recorder_ = nullptr;
  std::uint64_t numbered_ = 0;  ///< requests so far
  std::uint64_t commands_recorded_ = 0;
  std::uint64_t page_requests_recorded_ = 0;
  Injector* injector_ = nullptr;
  base::Clock clock_;
  /// What injections put off, earliest first: a completion, or the time-out of the tags.
  struct PutOff {
    base::Cycle at = 0;
    translate::InvalidationCompletion completion{};
    std::uint32_t time_out_tags = 0;
  };
  std::vector<PutOff> put_off_;

  // Fences: requests are counted in one of two buckets; a fence switches buckets and waits until the old one is empty.
  std::uint8_t epoch_ = 0;
  std::uint64_t translating_[2] = {0, 0};
  std::uint64_t forwarded_reads_[2] = {0, 0};
  std::uint64_t forwarded_writes_[2] = {0, 0};
};

}  // namespace iommusim::timing
