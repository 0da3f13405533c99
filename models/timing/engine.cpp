// SPDX-License-Identifier: Apache-2.0
#include "timing/engine.h"

namespace iommusim::timing {

Engine::Engine(const EngineParams& params, const spec::Implementation& implementation, std::uint64_t seed,
               stats::Group& parent, const std::string& name)
    : params_(params),
      stats_(parent, name),
      registers_(implementation),
      slots_(params.slots),
      free_count_(params.slots),
      ingress_(params.ingress.depth),
      ddt_cache_(params.ddt_cache, seed, "ddt_cache"),
      directory_cache_(params.directory_cache, seed + 1, "directory_cache"),
      device_stage_(params.slots, params.ddt_cache.lookup_cycles, params.ddt_cache.ports),
      device_misses_(params.slots, ddt_cache_.enabled()),
      iotlb_(params.iotlb, seed + 2, stats_.iotlb),
      translation_stage_(params.slots, params.iotlb.lookup_cycles, params.iotlb.ports),
      misses_(params.miss_table.depth, params.miss_table.merge && iotlb_.enabled()),
      walk_cache_(params.walk_cache, seed + 3, stats_.walk_cache),
      walk_stage_(params.slots, params.walk_cache.lookup_cycles, params.walk_cache.ports),
      memory_(params.memory_port, params.slots + 4, stats_.memory_port),
      queues_(*this, params.queues, params.registers, params.slots),
      finished_(params.slots + 16) {
  for (std::uint32_t i = params.slots; i-- > 0;) free_slots_.push_back(i);
  stats_.requests.in_flight.set_limit(params.slots);
  stats_.walks.active.set_limit(params.walkers.count);
  stats_.directory_walks.active.set_limit(params.walkers.directory_count);
}

const char* Engine::unsupported(const spec::Implementation& implementation) {
  if (implementation.ats) return "ats";
  if (implementation.hpm) return "hpm";
  return implementation.dbg ? "dbg" : nullptr;
}

void Engine::accept(const translate::Request& request, std::uint64_t cookie, base::Cycle now) {
  base::ensure(can_accept(), "a request was pushed into a full IOMMU");
  const std::uint32_t i = free_slots_[--free_count_];
  Slot& slot = slots_[i];
  slot.process.start(request, registers_);
  slot.cookie = cookie;
  slot.accepted = now;
  slot.walk_reads = 0;
  slot.walked = false;
  slot.state = SlotState::kIngress;
  ingress_.push(i);
  ++stats_.requests.accepted;
  stats_.requests.in_flight.enter(now);
}

void Engine::forwarded_done(FenceTicket ticket) {
  std::uint64_t& count = (ticket.is_write ? forwarded_writes_ : forwarded_reads_)[ticket.epoch];
  base::ensure(count != 0, "a fence ticket was given back twice");
  --count;
}

void Engine::write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value, base::Cycle now) {
  registers_.write(offset, bytes, value);
  queues_.registers_written(now);
}

void Engine::step(base::Cycle now) {
  bool moved = true;
  while (moved) {
    moved = step_answers(now);
    moved |= queues_.step(now);
    moved |= step_lookups(now);
    moved |= step_grants(now);
    moved |= step_ingress(now);
    moved |= memory_.issue(now);
  }
}

base::Cycle Engine::next_event() const {
  base::Cycle next = memory_.next_event();
  const auto consider = [&next](base::Cycle cycle) { next = cycle < next ? cycle : next; };
  consider(queues_.next_event());
  consider(device_stage_.next_event());
  consider(translation_stage_.next_event());
  consider(walk_stage_.next_event());
  if (!ingress_.empty()) consider(next_pick_);
  return next;
}

bool Engine::idle() const {
  return free_count_ == slots_.size() && queues_.idle() && memory_.in_flight() == 0 && memory_.waiting() == 0;
}

bool Engine::step_answers(base::Cycle now) {
  if (!memory_.has_answer(now)) return false;
  const MemoryPort::Answer answer = memory_.take_answer(now);
  if (answer.tag >= QueueEngines::kCommandTag) {
    queues_.answer(answer.tag, answer.data, now);
  } else {
    slots_[answer.tag].process.memory(answer.data);
    advance(answer.tag, now);
  }
  return true;
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
  while (translation_stage_.ready(now)) {
    end_translation_lookup(translation_stage_.take(), now);
    moved = true;
  }
  while (device_stage_.ready(now)) {
    end_device_lookup(device_stage_.take(), now);
    moved = true;
  }
  return moved;
}

bool Engine::step_ingress(base::Cycle now) {
  if (ingress_.empty() || now < next_pick_) return false;
  const std::uint32_t i = ingress_.front();
  ingress_.pop();
  next_pick_ = now + params_.ingress.initiation_cycles;
  Slot& slot = slots_[i];
  slot.epoch = epoch_;
  ++translating_[epoch_];
  slot.picked_at_invalidation = invalidations_.count();
  // The registers in force are those of the moment in which the request enters the pipeline.
  slot.process.start(translate::Request(slot.process.request()), registers_);
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
        device_stage_.start(now, i);
        return;
      case translate::AskKind::kLookupTranslation:
        slot.state = SlotState::kTranslationLookup;
        translation_stage_.start(now, i);
        return;
      case translate::AskKind::kLookupWalk:
        walk_stage_.start(now, i);
        return;
      case translate::AskKind::kRead:
      case translate::AskKind::kWrite:
      case translate::AskKind::kCompareSwap:
        ++slot.walk_reads;
        memory_.request(i, slot.process.ask());
        return;
      case translate::AskKind::kLookupDirectory:
        lookup_directory(i);
        break;
      case translate::AskKind::kFillDirectory:
        fill_directory(i);
        break;
      case translate::AskKind::kFillDevice:
        fill_device(i, now);
        break;
      case translate::AskKind::kFillWalk:
        fill_walk(i);
        break;
      case translate::AskKind::kFillTranslation:
        fill_translation(i);
        break;
      case translate::AskKind::kLookupProcess:
        slot.process.miss();
        break;
      case translate::AskKind::kFillProcess:
        slot.process.resume();
        break;
      default:
        base::contradiction("a translation asked for what only commands ask");
    }
  }
}

void Engine::finish(std::uint32_t i, base::Cycle now) {
  Slot& slot = slots_[i];
  const translate::Outcome& outcome = slot.process.outcome();
  const bool ok = outcome.kind == translate::Outcome::Kind::kTranslated;
  if (slot.state == SlotState::kDeviceWalk) end_device_walk(i, ok, now);
  if (slot.state == SlotState::kWalk) end_walk(i, ok, now);

  RequestStats& stats = stats_.requests;
  const base::Cycle latency = now - slot.accepted;
  stats.latency.add(latency);
  (slot.walked ? stats.latency_miss : stats.latency_hit).add(latency);
  const bool is_write = slot.process.request().is_write();
  finished_.push({slot.cookie, outcome, {slot.epoch, is_write}, slot.accepted, now});
  stats.residence +=
      now - (slot.accepted > stats.in_flight.data().start() ? slot.accepted : stats.in_flight.data().start());
  stats.in_flight.leave(now);
  if (ok) {
    ++stats.completed;
    if (outcome.bypass) ++stats.bypassed;
    ++(is_write ? forwarded_writes_ : forwarded_reads_)[slot.epoch];
    release(i);
    return;
  }
  ++stats.faulted;
  if (outcome.record_fault) {
    slot.state = SlotState::kFaultRecord;
    queues_.report(outcome.fault, i, now);
  } else {
    if (outcome.fault.cause != 0) ++stats_.faults.suppressed;
    release(i);
  }
}

void Engine::release(std::uint32_t i) {
  --translating_[slots_[i].epoch];
  slots_[i].state = SlotState::kFree;
  free_slots_[free_count_++] = i;
}

std::string Engine::describe() const {
  static constexpr const char* kNames[] = {"free",
                                           "ingress",
                                           "device look-up",
                                           "device merged",
                                           "device walker wait",
                                           "device walk",
                                           "translation look-up",
                                           "miss stall",
                                           "merged",
                                           "walker wait",
                                           "walk",
                                           "fault record"};
  std::string text = "slots:";
  for (std::uint32_t i = 0; i < slots_.size(); ++i)
    if (slots_[i].state != SlotState::kFree)
      text += "\n  " + std::to_string(i) + ": " + kNames[static_cast<unsigned>(slots_[i].state)] +
              ", accepted at cycle " + std::to_string(slots_[i].accepted) + ", waits for ask " +
              std::to_string(static_cast<unsigned>(slots_[i].process.ask().kind));
  text += "\nwalkers busy " + std::to_string(walkers_busy_) + ", directory walkers busy " +
          std::to_string(directory_walkers_busy_);
  text += "\nmemory port: " + std::to_string(memory_.in_flight()) + " in flight, " + std::to_string(memory_.waiting()) +
          " waiting";
  text += "\nforwarded and not done: reads " + std::to_string(forwarded_reads_[0] + forwarded_reads_[1]) + ", writes " +
          std::to_string(forwarded_writes_[0] + forwarded_writes_[1]);
  return text + "\n" + queues_.describe();
}

}  // namespace iommusim::timing
