// SPDX-License-Identifier: Apache-2.0
// Registers, queues and interrupts of the NVMe drive; what becomes of a command is in nvme_commands.cpp.
#include "devices/nvme.h"

#include <algorithm>

#include "traces/event.h"

namespace iommusim::devices {

namespace nvme_hw = device_hw::nvme;

Nvme::Nvme(const sc_core::sc_module_name& name, const NvmeParams& params, stats::Group& parent)
    : TimedModule(name),
      params_(params),
      device_(traces::parse_source(params.bdf).key()),
      stats_(parent, basename()),
      dma_(DmaLimits{params.outstanding, params.split_bytes}, device_, *this, stats_),
      registers_("registers", params.register_ns, *this) {
  stats_.medium.set_limit(params.channels);
}

// Registers.

std::uint64_t Nvme::read_register(std::uint32_t offset, unsigned) {
  switch (offset) {
    case nvme_hw::kCapabilities:
      return 0xffff;
    case nvme_hw::kConfiguration:
      return configuration_;
    case nvme_hw::kStatus:
      return status_;
    case nvme_hw::kAdminAttributes:
      return admin_attributes_;
    case nvme_hw::kAdminSubmission:
      return admin_submission_;
    case nvme_hw::kAdminCompletion:
      return admin_completion_;
    default:
      return 0;
  }
}

void Nvme::write_register(std::uint32_t offset, unsigned, std::uint64_t value) {
  const auto low = static_cast<std::uint32_t>(value);
  if (offset == nvme_hw::kConfiguration) {
    if ((low & 1) != (configuration_ & 1)) enable((low & 1) != 0);
    configuration_ = low;
  } else if (offset == nvme_hw::kAdminAttributes) {
    admin_attributes_ = low;
  } else if (offset == nvme_hw::kAdminSubmission) {
    admin_submission_ = value;
  } else if (offset == nvme_hw::kAdminCompletion) {
    admin_completion_ = value;
  } else if (offset >= nvme_hw::kDoorbells) {
    ++stats_.doorbells;
    doorbells_.push_back({bus::now_ps() + params_.doorbell_ns * 1000, offset - nvme_hw::kDoorbells, low});
    wake_at(doorbells_.back().at);
  }
}

void Nvme::enable(bool on) {
  submissions_.clear();
  completions_.clear();
  status_ = 0;
  if (!on) return;
  Submission& submission = submissions_[0];
  submission.base = admin_submission_;
  submission.entries = (admin_attributes_ & 0xfff) + 1;
  CompletionQueue& completion = completions_[0];
  completion.base = admin_completion_;
  completion.entries = (admin_attributes_ >> 16 & 0xfff) + 1;
  completion.interrupts = true;
  status_ = nvme_hw::kReady;
}

void Nvme::take_doorbell(const Doorbell& doorbell) {
  const auto id = static_cast<std::uint16_t>(doorbell.offset / 8);
  if (doorbell.offset % 8 == 0) {
    const auto at = submissions_.find(id);
    if (at != submissions_.end() && doorbell.value < at->second.entries) at->second.tail = doorbell.value;
  } else {
    const auto at = completions_.find(id);
    if (at != completions_.end() && doorbell.value < at->second.entries) at->second.head = doorbell.value;
  }
}

// Queues.

std::uint64_t Nvme::operation(Step step, std::uint32_t command, Operation*& out) {
  if (free_operations_.empty()) {
    free_operations_.push_back(operations_.size());
    operations_.emplace_back();
  }
  const std::uint64_t cookie = free_operations_.back();
  free_operations_.pop_back();
  out = &operations_[cookie];
  out->step = step;
  out->command = command;
  return cookie;
}

void Nvme::fetch(std::uint16_t id, Submission& queue) {
  if (queue.fetching || queue.head == queue.tail || (status_ & nvme_hw::kFatal) != 0) return;
  const std::uint32_t end = queue.tail > queue.head ? queue.tail : queue.entries;
  Operation* fetch = nullptr;
  const std::uint64_t cookie = operation(Step::kFetch, 0, fetch);
  fetch->queue = id;
  fetch->count = std::min(params_.fetch_batch, end - queue.head);
  fetch->data.resize(std::size_t{fetch->count} * nvme_hw::kCommandBytes);
  queue.fetching = true;
  dma_.push(false, queue.base + std::uint64_t{queue.head} * nvme_hw::kCommandBytes, fetch->data.size(), cookie,
            fetch->data.data());
}

void Nvme::fetched(const Operation& operation) {
  const auto at = submissions_.find(operation.queue);
  if (at == submissions_.end()) return;  // deleted meanwhile
  Submission& queue = at->second;
  queue.fetching = false;
  ++stats_.fetches;
  for (std::uint32_t i = 0; i < operation.count; ++i) {
    if (free_commands_.empty()) {
      free_commands_.push_back(static_cast<std::uint32_t>(commands_.size()));
      commands_.emplace_back();
    }
    const std::uint32_t slot = free_commands_.back();
    free_commands_.pop_back();
    queue.head = queue.head + 1 == queue.entries ? 0 : queue.head + 1;
    ActiveCommand& command = commands_[slot];
    command = {};
    std::memcpy(command.command.words, operation.data.data() + std::size_t{i} * nvme_hw::kCommandBytes,
                nvme_hw::kCommandBytes);
    command.queue = operation.queue;
    command.head = static_cast<std::uint16_t>(queue.head);
    command.begin = bus::now_ps();
    ++stats_.commands;
    stats_.under_way.enter(bus::now_ps());
    begin(slot);
  }
}

void Nvme::write_completions(CompletionQueue& queue, std::uint16_t id) {
  while (!queue.ended.empty()) {
    const std::uint32_t next = queue.tail + 1 == queue.entries ? 0 : queue.tail + 1;
    if (next == queue.head) return;  // full
    const std::uint32_t slot = queue.ended.front();
    queue.ended.pop_front();
    ActiveCommand& command = commands_[slot];
    command.completion.set(command.queue, command.head, command.command.id(), queue.phase, command.status);
    Operation* write = nullptr;
    const std::uint64_t cookie = operation(Step::kComplete, slot, write);
    write->queue = id;
    dma_.push(true, queue.base + std::uint64_t{queue.tail} * nvme_hw::kCompletionBytes, nvme_hw::kCompletionBytes,
              cookie, reinterpret_cast<std::uint8_t*>(command.completion.words));
    queue.tail = next;
    if (next == 0) queue.phase = !queue.phase;
  }
}

base::Picoseconds Nvme::raise(CompletionQueue& queue, base::Picoseconds now) {
  if (!queue.interrupts || !queue.news) return base::kNever;
  if (now < queue.next_interrupt) return queue.next_interrupt;
  queue.news = false;
  queue.next_interrupt = now + params_.interrupt_ns * 1000;
  ++stats_.interrupts;
  if (sink_ != nullptr) sink_->raise(queue.vector);
  return base::kNever;
}

void Nvme::completed(const DmaRequest& request, translate::Response response) {
  Operation& done = operations_[request.cookie];
  const bool ok = response == translate::Response::kSuccess;
  if (done.step == Step::kFetch || done.step == Step::kComplete) {
    if (!ok) status_ |= nvme_hw::kFatal;  // Model: a queue out of reach is fatal
    if (done.step == Step::kComplete)
      finish(done.command);
    else if (ok)
      fetched(done);
  } else {
    ActiveCommand& command = commands_[done.command];
    if (!ok) command.status = nvme_hw::kDataTransferError;
    if (done.step == Step::kList) {
      const std::size_t before = command.pages.size();
      command.pages.resize(before + done.data.size() / 8);
      std::memcpy(command.pages.data() + before, done.data.data(), done.data.size());
      pages_known(done.command);
    } else if (--command.parts == 0) {
      data_moved(done.command);
    }
  }
  free_operations_.push_back(request.cookie);
  wake_at(bus::now_ps());
}

base::Picoseconds Nvme::work(base::Picoseconds now) {
  for (; !doorbells_.empty() && doorbells_.front().at <= now; doorbells_.pop_front()) take_doorbell(doorbells_.front());
  base::Picoseconds next = serve_medium(now);
  if (!doorbells_.empty()) next = std::min(next, doorbells_.front().at);
  for (auto& [id, queue] : completions_) {
    write_completions(queue, id);
    next = std::min(next, raise(queue, now));
  }
  for (auto& [id, queue] : submissions_) fetch(id, queue);
  return next;
}

}  // namespace iommusim::devices
