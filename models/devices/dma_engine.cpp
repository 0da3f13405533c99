// SPDX-License-Identifier: Apache-2.0
#include "devices/dma_engine.h"

#include <algorithm>
#include <cstddef>

#include "traces/event.h"

namespace iommusim::devices {

namespace engine_hw = device_hw::dma_engine;

DmaEngine::DmaEngine(const sc_core::sc_module_name& name, const DmaEngineParams& params, stats::Group& parent)
    : TimedModule(name),
      params_(params),
      device_(traces::parse_source(params.bdf).key()),
      stats_(parent, basename()),
      dma_(DmaLimits{params.outstanding, params.split_bytes}, device_, *this, stats_),
      registers_("registers", params.register_ns, *this),
      channels_(params.channels) {}

void DmaEngine::set_bus_master(bool on) {
  bus_master_ = on;
  wake_at(bus::now_ps());
}

void DmaEngine::reset() {
  doorbells_.clear();
  for (Channel& channel : channels_) {
    Channel fresh;
    fresh.life = channel.life + 1;
    fresh.under_way = channel.under_way;
    channel = fresh;
  }
}

// Registers.

std::uint64_t DmaEngine::read_register(std::uint32_t offset, unsigned bytes) {
  if (bytes == 8) return read_register(offset, 4) | read_register(offset + 4, 4) << 32;
  if (offset == engine_hw::kIdentity) return engine_hw::kIdentityValue;
  if (offset == engine_hw::kChannels) return channels_.size();
  const std::uint32_t index = (offset - engine_hw::kFirstChannel) / engine_hw::kChannelStep;
  if (offset < engine_hw::kFirstChannel || index >= channels_.size()) return 0;
  return read_channel(channels_[index], offset % engine_hw::kChannelStep);
}

std::uint32_t DmaEngine::read_channel(const Channel& channel, std::uint32_t offset) const {
  const bool active = channel.busy || channel.fetching || channel.under_way != 0 ||
                      ((channel.control & engine_hw::kEnable) != 0 && !channel.broken && channel.head != channel.tail);
  switch (offset) {
    case engine_hw::kRingBase:
      return static_cast<std::uint32_t>(channel.ring_base);
    case engine_hw::kRingBase + 4:
      return static_cast<std::uint32_t>(channel.ring_base >> 32);
    case engine_hw::kRingEntries:
      return channel.ring_entries;
    case engine_hw::kControl:
      return channel.control;
    case engine_hw::kTail:
      return channel.tail;
    case engine_hw::kHead:
      return channel.head;
    case engine_hw::kStatus:
      return (active ? engine_hw::kActive : 0) | (channel.broken ? engine_hw::kBroken : 0);
    default:
      return 0;
  }
}

void DmaEngine::write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value) {
  const std::uint32_t index = (offset - engine_hw::kFirstChannel) / engine_hw::kChannelStep;
  if (offset < engine_hw::kFirstChannel || index >= channels_.size()) return;
  write_channel(index, offset % engine_hw::kChannelStep, static_cast<std::uint32_t>(value));
  if (bytes == 8) write_channel(index, offset % engine_hw::kChannelStep + 4, static_cast<std::uint32_t>(value >> 32));
}

void DmaEngine::write_channel(std::uint32_t index, std::uint32_t offset, std::uint32_t value) {
  Channel& channel = channels_[index];
  const bool enabled = (channel.control & engine_hw::kEnable) != 0;
  if (offset == engine_hw::kTail) {
    ++stats_.doorbells;
    doorbells_.push_back({bus::now_ps() + params_.doorbell_ns * 1000, index, value});
    wake_at(doorbells_.back().at);
  } else if (offset == engine_hw::kControl) {
    enable(channel, value);
  } else if (enabled) {
    return;
  } else if (offset == engine_hw::kRingBase) {
    channel.ring_base = (channel.ring_base & ~0xffffffffULL) | (value & ~(engine_hw::kDescriptorBytes - 1));
  } else if (offset == engine_hw::kRingBase + 4) {
    channel.ring_base = (channel.ring_base & 0xffffffff) | std::uint64_t{value} << 32;
  } else if (offset == engine_hw::kRingEntries) {
    channel.ring_entries = value < 2 || value > 65536 ? 0 : value;
  }
}

/// Off: what is under way ends and goes nowhere. On: from an empty ring. Model: at once.
void DmaEngine::enable(Channel& channel, std::uint32_t control) {
  const bool was = (channel.control & engine_hw::kEnable) != 0, is = (control & engine_hw::kEnable) != 0;
  if (is && channel.ring_entries == 0) control &= ~engine_hw::kEnable;
  if (was == is) {
    if (!was) channel.control = control;
    return;  // the PASID of a channel that is on stays
  }
  Channel fresh;
  fresh.ring_base = channel.ring_base;
  fresh.ring_entries = channel.ring_entries;
  fresh.under_way = channel.under_way;
  fresh.life = channel.life + 1;
  fresh.control = control;
  channel = fresh;
}

// A channel.

base::Picoseconds DmaEngine::work(base::Picoseconds now) {
  for (; !doorbells_.empty() && doorbells_.front().at <= now; doorbells_.pop_front()) {
    Channel& channel = channels_[doorbells_.front().channel];
    if ((channel.control & engine_hw::kEnable) != 0 && doorbells_.front().tail < channel.ring_entries)
      channel.tail = doorbells_.front().tail;
  }
  for (std::uint32_t index = 0; bus_master_ && index < channels_.size(); ++index) serve(index);
  return doorbells_.empty() ? base::kNever : doorbells_.front().at;
}

void DmaEngine::serve(std::uint32_t index) {
  Channel& channel = channels_[index];
  if ((channel.control & engine_hw::kEnable) == 0 || channel.broken) return;
  if (!channel.fetching && channel.fetched.empty() && channel.next != channel.tail) fetch(index);
  if (!channel.busy && !channel.fetched.empty()) begin(index);
  if (channel.busy) cut_chunks(index);
}

void DmaEngine::fetch(std::uint32_t index) {
  Channel& channel = channels_[index];
  const std::uint32_t end = channel.tail > channel.next ? channel.tail : channel.ring_entries;
  std::uint64_t cookie = 0;
  Operation& fetch = operation(Step::kFetch, index, cookie);
  fetch.count = std::min(params_.fetch_batch, end - channel.next);
  fetch.data.resize(std::size_t{fetch.count} * engine_hw::kDescriptorBytes);
  channel.fetching = true;
  push(false, channel.ring_base + std::uint64_t{channel.next} * engine_hw::kDescriptorBytes, cookie);
}

void DmaEngine::fetched(Channel& channel, const Operation& operation) {
  ++stats_.fetches;
  channel.fetching = false;
  channel.next = (channel.next + operation.count) % channel.ring_entries;
  for (std::uint32_t i = 0; i < operation.count; ++i) {
    channel.fetched.emplace_back();
    std::memcpy(&channel.fetched.back(), operation.data.data() + std::size_t{i} * engine_hw::kDescriptorBytes,
                engine_hw::kDescriptorBytes);
  }
}

void DmaEngine::begin(std::uint32_t index) {
  Channel& channel = channels_[index];
  channel.now = channel.fetched.front();
  channel.fetched.pop_front();
  channel.busy = true;
  channel.begin = bus::now_ps();
  channel.cut = 0;
  channel.outcome = engine_hw::kDone;
  const std::uint32_t opcode = channel.now.operation & 0xff;
  if (opcode <= engine_hw::kFill && channel.now.bytes != 0) return;
  channel.outcome = engine_hw::kInvalid;
  channel.cut = channel.now.bytes;
  write_outcome(index);
}

/// After an error no further chunk is begun.
void DmaEngine::cut_chunks(std::uint32_t index) {
  Channel& channel = channels_[index];
  const Descriptor& now = channel.now;
  while (channel.outcome == engine_hw::kDone && channel.cut < now.bytes && channel.chunks < params_.chunks) {
    const std::uint64_t bytes = std::min<std::uint64_t>(params_.chunk_bytes, now.bytes - channel.cut);
    const bool fill = (now.operation & 0xff) == engine_hw::kFill;
    std::uint64_t cookie = 0;
    Operation& chunk = operation(fill ? Step::kWrite : Step::kRead, index, cookie);
    chunk.offset = channel.cut;
    chunk.data.resize(bytes);
    for (std::uint64_t i = 0; fill && i < bytes; ++i)
      chunk.data[i] = static_cast<std::uint8_t>(now.source >> 8 * ((channel.cut + i) % 8));
    channel.cut += bytes;
    ++channel.chunks;
    push(fill, (fill ? now.destination : now.source) + chunk.offset, cookie);
  }
}

void DmaEngine::chunk_ended(std::uint32_t index, std::uint64_t cookie, bool ok) {
  Channel& channel = channels_[index];
  Operation& chunk = operations_[cookie];
  if (!ok && channel.outcome == engine_hw::kDone)
    channel.outcome = chunk.step == Step::kRead ? engine_hw::kSourceFailed : engine_hw::kDestinationFailed;
  --channel.chunks;
  if (channel.chunks == 0 && (channel.cut == channel.now.bytes || channel.outcome != engine_hw::kDone))
    write_outcome(index);
}

void DmaEngine::write_outcome(std::uint32_t index) {
  Channel& channel = channels_[index];
  std::uint64_t cookie = 0;
  Operation& write = operation(Step::kOutcome, index, cookie);
  const std::uint32_t words[2] = {channel.outcome, channel.count + 1};
  write.data.resize(sizeof words);
  std::memcpy(write.data.data(), words, sizeof words);
  push(true, channel.ring_base + std::uint64_t{channel.head} * engine_hw::kDescriptorBytes + engine_hw::kOutcomeOffset,
       cookie);
}

void DmaEngine::outcome_written(std::uint32_t index, bool ok) {
  Channel& channel = channels_[index];
  channel.busy = false;
  const bool fill = (channel.now.operation & 0xff) == engine_hw::kFill;
  if (channel.outcome == engine_hw::kDone) {
    ++(fill ? stats_.fills : stats_.copies);
    stats_.bytes += channel.now.bytes;
  } else {
    ++stats_.failed;
  }
  if (!ok) return stop(channel);
  stats_.latency_ps.add(bus::now_ps() - channel.begin);
  ++channel.count;
  channel.head = channel.head + 1 == channel.ring_entries ? 0 : channel.head + 1;
  if ((channel.now.operation & engine_hw::kInterrupt) == 0) return;
  ++stats_.interrupts;
  if (sink_ != nullptr && bus_master_) sink_->raise(index);
}

void DmaEngine::stop(Channel& channel) {
  channel.broken = true;
  channel.fetching = channel.busy = false;
  ++stats_.broken;
}

// DMA.

DmaEngine::Operation& DmaEngine::operation(Step step, std::uint32_t channel, std::uint64_t& cookie) {
  if (free_operations_.empty()) {
    free_operations_.push_back(operations_.size());
    operations_.emplace_back();
  }
  cookie = free_operations_.back();
  free_operations_.pop_back();
  Operation& out = operations_[cookie];
  out.step = step;
  out.channel = channel;
  out.life = channels_[channel].life;
  ++channels_[channel].under_way;
  ++under_way_;
  return out;
}

void DmaEngine::push(bool write, std::uint64_t iova, std::uint64_t cookie) {
  Operation& operation = operations_[cookie];
  const std::uint32_t control = channels_[operation.channel].control;
  DmaRequest request;
  request.iova = iova;
  request.bytes = operation.data.size();
  request.write = write;
  request.device = device_;
  request.data = operation.data.data();
  request.cookie = cookie;
  request.process_valid = (control & engine_hw::kPasidValid) != 0;
  if (request.process_valid) request.process = base::ProcessId(control >> engine_hw::kPasidShift);
  dma_.push(request);
}

void DmaEngine::completed(const DmaRequest& request, translate::Response response) {
  const std::uint64_t cookie = request.cookie;
  Operation& done = operations_[cookie];
  Channel& channel = channels_[done.channel];
  const bool ok = response == translate::Response::kSuccess;
  wake_at(bus::now_ps());
  if (done.life == channel.life && ok && done.step == Step::kRead) {
    done.step = Step::kWrite;
    return push(true, channel.now.destination + done.offset, cookie);
  }
  --channel.under_way;
  --under_way_;
  if (done.life == channel.life) {
    if (done.step == Step::kRead || done.step == Step::kWrite)
      chunk_ended(done.channel, cookie, ok);
    else if (done.step == Step::kOutcome)
      outcome_written(done.channel, ok);
    else if (ok)
      fetched(channel, done);
    else
      stop(channel);
  }
  free_operations_.push_back(cookie);
}

}  // namespace iommusim::devices
