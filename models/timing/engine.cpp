// SPDX-License-Identifier: Apache-2.0
#include "timing/engine.h"

#include "translate/debug_interface.h"

namespace iommusim::timing {

Engine::Engine(const EngineParams& params, const spec::Implementation& implementation, std::uint64_t seed,
               stats::Group& parent, const std::string& name, unsigned ports)
    : params_(params),
      stats_(parent, name),
      registers_(implementation),
      monitor_(registers_),
      slots_(params.slots + kOwnSlots + (params.prefetch.policy == Prefetch::kNone ? 0 : params.walkers.count)),
      free_count_(params.slots),
      ingress_(params.ingress.depth + kOwnSlots),
      delays_(slots_.size()),
      errors_(2 * std::size_t{params.slots}),
      devices_(params.ddt_cache, slots_.size(), seed, "ddt_cache", kDeviceStates, stats_.ddt_cache,
               stats_.directory_walks),
      processes_(params.pdt_cache, slots_.size(), seed + 16, "pdt_cache", kProcessStates, stats_.pdt_cache,
                 stats_.process_directory_walks),
      directory_cache_(params.directory_cache, seed + 1, "directory_cache"),
      msi_cache_(params.msi_cache, seed + 4, "msi_cache"),
      msi_stage_(slots_.size(), params.msi_cache.lookup_cycles, params.msi_cache.ports),
      page_registers_(params.ingress.page_register ? ports : 0),
      followers_(params.ingress.page_register ? slots_.size() : 0),
      prefetch_wanted_(params.prefetch.depth),
      device_stats_(params.device_statistics, stats_),
      iotlb_(params.iotlb, seed + 2, stats_.iotlb, stats_.prefetch),
      translation_stage_(slots_.size(), params.iotlb.lookup_cycles, params.iotlb.ports),
      misses_(params.miss_table.depth, params.miss_table.merge && iotlb_.enabled()),
      walk_cache_(params.walk_cache, seed + 3, stats_.walk_cache),
      walk_stage_(slots_.size(), params.walk_cache.lookup_cycles, params.walk_cache.ports),
      walk_lines_(params.walk_lines, seed + 5, stats_.walk_lines),
      line_stage_(slots_.size(), params.walk_lines.kept.lookup_cycles, params.walk_lines.kept.ports),
      walk_reads_(slots_.size()),
      memory_(params.memory_port, slots_.size(), stats_.memory_port),
      queues_(*this, params.queues, params.registers, slots_.size()),
      page_requests_(*this, params.queues),
      messages_(params.queues.message_depth),
      finished_(params.slots + 16),
      clock_(params.clock_mhz) {
  if (params.registers.write_answer_cycles > params.registers.access_cycles)
    throw base::InputError("registers.write_answer_cycles is " + std::to_string(params.registers.write_answer_cycles) +
                           ", expected at most access_cycles, " + std::to_string(params.registers.access_cycles));
  for (std::uint32_t i = params.slots; i-- > 0;) free_slots_.push_back(i);
  for (auto i = static_cast<std::uint32_t>(slots_.size()); i-- > params.slots + kOwnSlots;) prefetch_free_.push_back(i);
  if (params.micro_tlb.entries != 0) {
    micro_tlbs_.reserve(ports);
    for (unsigned port = 0; port < ports; ++port)
      micro_tlbs_.emplace_back(params.micro_tlb, slots_.size(), seed + 32 + port, stats_.micro_tlb, stats_.prefetch);
  }
  more_lookups_ = walk_lines_.keeps() || !micro_tlbs_.empty();
  monitor_.find_overflow();
  if (params.occupancy_histograms) stats_.keep_histograms();
  stats_.requests.write_bytes.set_limit(params.ingress.write_buffer_bytes);
  stats_.iotlb.miss_table.set_limit(params.miss_table.depth);
  stats_.requests.queue.set_limit(params.ingress.depth);
  stats_.prefetch.waiting.set_limit(params.prefetch.depth);
  stats_.requests.in_flight.set_limit(params.slots);
  stats_.walks.active.set_limit(params.walkers.count);
  stats_.directory_walks.active.set_limit(params.walkers.directory_count);
  stats_.process_directory_walks.active.set_limit(params.walkers.directory_count);
}

void Engine::accept(const translate::Request& request, std::uint64_t cookie, base::Cycle now, std::uint32_t port) {
  base::ensure(can_accept(), "a request was pushed into a full IOMMU");
  if (!has_room()) return drop(cookie, now);
  const std::uint32_t i = free_slots_[--free_count_];
  slots_[i].port = port;
  enter(i, request, cookie, now);
  if (params_.ingress.write_buffer_bytes != 0 && request.is_write()) buffer_write(request.bytes, now);
  if (params_.occupancy_histograms) stats_.requests.queue.enter(now);
  ++stats_.requests.accepted;
  stats_.requests.in_flight.enter(now);
}

void Engine::enter(std::uint32_t i, const translate::Request& request, std::uint64_t cookie, base::Cycle now) {
  Slot& slot = slots_[i];
  slot.process.start(request, registers_);
  slot.cookie = cookie;
  slot.accepted = now;
  slot.walk_reads = 0;
  slot.walked = false;
  slot.has_result = slot.has_fill = false;
  slot.timeline = {};
  slot.timeline.id = is_own(i) ? 0 : ++numbered_;
  slot.state = SlotState::kIngress;
  ingress_.push(i);
  ++entered_;
}

bool Engine::start_own(std::uint32_t i, const translate::Request& request, base::Cycle now) {
  if (slots_[i].state != SlotState::kFree) return false;
  enter(i, request, 0, now);
  return true;
}

bool Engine::step_debug(base::Cycle now) {
  if (!debug_wanted_ || !start_own(debug_slot(), translate::debug_request(registers_), now)) return false;
  debug_wanted_ = false;
  ++stats_.debug_requests;
  return true;
}

bool Engine::invalidation_completion(const translate::InvalidationCompletion& message, base::Cycle now) {
  return injector_ != nullptr && strike_completion(message, now) ? true : take_completion(message, now);
}

void Engine::invalidation_time_out(std::uint32_t itag_vector, base::Cycle now) {
  registers_.invalidations().time_out(itag_vector);
  invalidations_changed(now);
}

void Engine::forwarded_done(FenceTicket ticket) {
  std::uint64_t& count = (ticket.is_write ? forwarded_writes_ : forwarded_reads_)[ticket.epoch];
  base::ensure(count != 0, "a fence ticket was given back twice");
  --count;
}

void Engine::write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value, base::Cycle now) {
  monitor_.catch_up(now);
  const bool debug_was_busy = registers_.debug_busy();
  registers_.write(offset, bytes, value);
  if (registers_.debug_busy() && !debug_was_busy) debug_wanted_ = true;
  monitor_.find_overflow();
  queues_.registers_written(now);
}

void Engine::cycles_overflow(base::Cycle now) {
  monitor_.catch_up(now);
  monitor_.find_overflow();
  queues_.condition_changed();
}

void Engine::count_event(translate::HpmEvent event, const Slot& slot, const translate::AddressSpaceTag& tag) {
  monitor_.count(event, slot.process.request(), tag);
  queues_.condition_changed();
}

/// A walk begins. Those of the second stage on the way to a process context have no PSCID yet.
void Engine::count_walk(const Slot& slot) {
  const translate::Ask& ask = slot.process.ask();
  count_event(ask.walk.second_stage ? translate::HpmEvent::kSecondStageWalk : translate::HpmEvent::kFirstStageWalk,
              slot, slot.state == SlotState::kWalk ? ask.key.tag : ask.walk.tag);
}

/// Most passes find little to do: whether a part has anything at all is asked before it is called.
void Engine::step(base::Cycle now) {
  if (now >= monitor_.next_overflow()) cycles_overflow(now);
  bool moved = true;
  while (moved) {
    moved = !put_off_.empty() && step_put_off(now);
    if (memory_.has_answer(now)) moved |= step_answers(now);
    if (!delays_.empty() || !errors_.empty()) moved |= step_delays(now);
    if (!queues_.dormant()) moved |= queues_.step(now);
    if (!page_requests_.idle()) moved |= page_requests_.step(now);
    if (debug_wanted_) moved |= step_debug(now);
    moved |= step_lookups(now);
    if (!directory_walker_queue_.empty()) moved |= step_directory_grants(now);
    if (!walker_queue_.empty()) moved |= step_grants(now);
    if (!prefetch_wanted_.empty()) moved |= step_prefetches(now);
    if (!ingress_.empty()) moved |= step_ingress(now);
    if (memory_.waiting() != 0) moved |= memory_.issue(now);
  }
}

base::Cycle Engine::next_event() const {
  base::Cycle next = memory_.next_event();
  const auto consider = [&next](base::Cycle cycle) { next = cycle < next ? cycle : next; };
  consider(queues_.next_event());
  consider(page_requests_.next_event());
  consider(devices_.stage.next_event());
  consider(processes_.stage.next_event());
  consider(msi_stage_.next_event());
  consider(translation_stage_.next_event());
  consider(walk_stage_.next_event());
  if (!put_off_.empty()) consider(put_off_.front().at);
  if (more_lookups_) {
    consider(line_stage_.next_event());
    for (const MicroTlb& micro : micro_tlbs_) consider(micro.stage.next_event());
  }
  if (!ingress_.empty() && !held_by_miss()) consider(next_ingress());
  consider(delays_.next_event());
  if (!errors_.empty()) consider(errors_.front().done);
  return next;
}

base::Cycle Engine::next_ingress() const {
  return std::max(next_pick_, slots_[ingress_.front()].accepted + params_.ingress.pick_cycles);
}

bool Engine::quiet() const {
  return free_count_ == params_.slots && slots_[page_request_slot()].state == SlotState::kFree &&
         slots_[debug_slot()].state == SlotState::kFree && queues_.quiet() && page_requests_.idle() &&
         memory_.in_flight() == 0 && memory_.waiting() == 0 && errors_.empty() && prefetch_wanted_.empty() &&
         prefetch_free_.size() == slots_.size() - params_.slots - kOwnSlots;
}

bool Engine::step_answers(base::Cycle now) {
  if (!memory_.has_answer(now)) return false;
  const MemoryPort::Answer answer = memory_.take_answer(now);
  if (answer.tag >= QueueEngines::kCommandTag) {
    queues_.answer(answer.tag, answer.data, now);
  } else if (shares_reads() && walk_reads_.under_way(answer.tag)) {
    answer_read(answer, now);
  } else {
    take_answer(answer, now);
  }
  return true;
}

/// What the slot waited for is there.
void Engine::take_answer(const MemoryPort::Answer& answer, base::Cycle now) {
  Slot& slot = slots_[answer.tag];
  if (walk_lines_.keeps() && slot.process.ask().kind == translate::AskKind::kCompareSwap)
    entry_updated(slot, answer.data);
  slot.process.memory(answer.data);
  if (const base::Cycle delay = fault_delay(slot, answer.beats); delay != 0)
    delays_.push(now + delay, answer.tag);
  else
    advance(answer.tag, now);
}

/// Model: that a context is not valid is seen in its first beat; other faults are seen in the last.
base::Cycle Engine::fault_delay(const Slot& slot, std::uint32_t beats) const {
  if (slot.process.ask().kind != translate::AskKind::kDone) return 0;
  const auto cause = static_cast<spec::Cause>(slot.process.outcome().fault.cause);
  if (cause == spec::Cause{}) return 0;
  const bool in_first_beat = cause == spec::Cause::kDdtNotValid || cause == spec::Cause::kPdtNotValid;
  const std::uint32_t seen_before = in_first_beat ? beats - 1 : 0;
  return params_.walkers.fault_cycles > seen_before ? params_.walkers.fault_cycles - seen_before : 0;
}

/// After that time the request has what it asked for, and has looked all caches up again.
void Engine::go_on_after(std::uint32_t i, std::uint32_t cycles, base::Cycle now) {
  if (cycles != 0) return delays_.push(now + cycles, i);
  slots_[i].process.resume();
  advance(i, now);
}

bool Engine::step_delays(base::Cycle now) {
  bool moved = false;
  for (; delays_.ready(now); moved = true) {
    const std::uint32_t i = delays_.take();
    slots_[i].looked_up_at = now;
    if (slots_[i].process.ask().kind != translate::AskKind::kDone) slots_[i].process.resume();
    advance(i, now);
  }
  for (; !errors_.empty() && errors_.front().done <= now; moved = true) {
    finished_.push(errors_.front());
    errors_.pop();
  }
  return moved;
}

/// Of lines and micro TLBs.
bool Engine::step_more_lookups(base::Cycle now) {
  bool moved = false;
  for (; line_stage_.ready(now); moved = true) end_line_lookup(line_stage_.take(), now);
  for (MicroTlb& micro : micro_tlbs_)
    for (; micro.stage.ready(now); moved = true) end_micro_lookup(micro.stage.take(), now);
  return moved;
}

bool Engine::step_lookups(base::Cycle now) {
  bool moved = false;
  while (walk_stage_.ready(now)) {
    const std::uint32_t i = walk_stage_.take();
    Slot& slot = slots_[i];
    if (const auto* const entry = walk_cache_.probe(slot.process.ask().walk))
      slot.process.hit(*entry);
    else
      slot.process.miss();
    advance(i, now);
    moved = true;
  }
  if (more_lookups_) moved |= step_more_lookups(now);
  for (; msi_stage_.ready(now); moved = true) end_msi_lookup(msi_stage_.take(), now);
  while (translation_stage_.ready(now)) {
    end_translation_lookup(translation_stage_.take(), now);
    moved = true;
  }
  return step_context_lookups(now) || moved;
}

bool Engine::step_ingress(base::Cycle now) {
  if (ingress_.empty() || now < next_ingress() || held_by_miss()) return false;
  const std::uint32_t i = ingress_.front();
  ingress_.pop();
  ++picked_;
  if (params_.occupancy_histograms && !is_own(i)) stats_.requests.queue.leave(now);
  next_pick_ = now + params_.ingress.initiation_cycles;
  Slot& slot = slots_[i];
  slot.epoch = epoch_;
  ++translating_[epoch_];
  slot.picked_at_invalidation = invalidations_.count();
  slot.timeline.picked = now;
  // The registers in force are those of the moment in which the request enters the pipeline.
  slot.process.start(translate::Request(slot.process.request()), registers_);
  if (monitor_.present()) {
    monitor_.count_request(slot.process.request());
    queues_.condition_changed();
  }
  // Looking all caches up together takes its time also when none is of use.
  const bool needs_none = slot.process.ask().kind == translate::AskKind::kDone;
  if (needs_none && params_.lookups == LookupOrder::kTogether && params_.ddt_cache.lookup_cycles != 0)
    delays_.push(now + params_.ddt_cache.lookup_cycles, i);
  else
    advance(i, now);
  return true;
}

/// Serves what the process of slot i asks, as far as that takes no time.
void Engine::advance(std::uint32_t i, base::Cycle now) {
  Slot& slot = slots_[i];
  for (;;) {
    switch (slot.process.ask().kind) {
      case translate::AskKind::kDone:
        finish(i, now);
        return;
      case translate::AskKind::kLookupDevice:
        slot.state = SlotState::kDeviceLookup;
        devices_.stage.start(now, i);
        return;
      case translate::AskKind::kLookupProcess:
        slot.state = SlotState::kProcessLookup;
        if (together_with_last_lookup(slot, now)) return end_context_lookup(processes_, i, now);
        processes_.stage.start(now, i);
        return;
      case translate::AskKind::kLookupTranslation:
        return lookup_translation(i, now);
      case translate::AskKind::kLookupWalk:
        if (monitor_.present()) count_walk(slot);
        walk_stage_.start(now, i);
        return;
      case translate::AskKind::kRead:
      case translate::AskKind::kWrite:
      case translate::AskKind::kCompareSwap:
        if (!slot.holds_walker()) return wait_to_read(i);
        if (shares_reads() && slot.process.ask().reads_page_table()) return read_entry(i, now);
        ++slot.walk_reads;
        memory_.request(i, slot.process.ask());
        return;
      case translate::AskKind::kLookupMsi:
        if (msi_cache_.enabled()) return lookup_msi(i, now);
        slot.process.miss();
        break;
      case translate::AskKind::kFillMsi:
        fill_msi(i);
        return go_on_after(i, params_.walkers.translation_fill_cycles, now);
      case translate::AskKind::kLookupDirectory:
        lookup_directory(i);
        break;
      case translate::AskKind::kFillDirectory:
        fill_directory(i);
        break;
      case translate::AskKind::kFillDevice:
        fill_device(i, now);
        return go_on_after(i, params_.walkers.context_fill_cycles, now);
      case translate::AskKind::kFillWalk:
        fill_walk(i);
        break;
      case translate::AskKind::kFillTranslation:
        fill_translation(i, now);
        return go_on_after(i, params_.walkers.translation_fill_cycles, now);
      case translate::AskKind::kFillProcess:
        fill_process(i, now);
        return go_on_after(i, params_.walkers.context_fill_cycles, now);
      default:
        base::contradiction("a translation asked for what only commands ask");
    }
  }
}

}  // namespace iommusim::timing
