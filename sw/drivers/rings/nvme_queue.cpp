// SPDX-License-Identifier: Apache-2.0
#include "drivers/rings/nvme_queue.h"

#include <cerrno>

#include "domain/domain.h"

namespace iommusim::drivers::rings {

namespace nvme_hw = device_hw::nvme;

namespace {

std::uint64_t whole_pages(std::uint64_t bytes) { return (bytes + 4095) / 4096 * 4096; }
std::uint64_t submission_bytes(const NvmeQueueOptions& options) {
  return whole_pages(std::uint64_t{options.entries} * nvme_hw::kCommandBytes);
}
std::uint64_t completion_bytes(const NvmeQueueOptions& options) {
  return whole_pages(std::uint64_t{options.entries} * nvme_hw::kCompletionBytes);
}
BufferOptions both_ways(BufferOptions options) {
  options.prot = domain::kRead | domain::kWrite;
  return options;
}

}  // namespace

NvmeQueue::NvmeQueue(hal::Os& os, hal::Mmio& mmio, BufferPort& port, NvmeController& controller, std::uint64_t offset,
                     const NvmeQueueOptions& options, NvmeClient& client)
    : os_(os),
      mmio_(mmio),
      port_(port),
      controller_(controller),
      offset_(offset),
      options_(options),
      client_(client),
      wait_(os, options.polling),
      buffers_(port, offset + queues_bytes(options), both_ways(options.buffers)),
      slots_(options.depth),
      data_(buffers_.buffer_bytes()) {
  for (std::uint32_t slot = options.depth; slot-- > 0;) free_.push_back(static_cast<std::uint16_t>(slot));
}

std::uint64_t NvmeQueue::queues_bytes(const NvmeQueueOptions& options) {
  return submission_bytes(options) + completion_bytes(options) + std::uint64_t{options.depth} * 4096;
}

std::uint64_t NvmeQueue::memory(const NvmeQueueOptions& options) {
  return queues_bytes(options) + std::uint64_t{options.buffers.count} * options.buffers.pages * 4096;
}

int NvmeQueue::open() {
  const unsigned cpu = options_.buffers.cpu;
  int error = port_.map(offset_, queues_bytes(options_), domain::kRead | domain::kWrite, cpu, iova_);
  if (error == 0) error = buffers_.open();
  const std::vector<std::uint8_t> nothing(completion_bytes(options_));  // no phase of an earlier queue
  port_.write(offset_ + submission_bytes(options_), nothing.data(), nothing.size());
  const NvmeQueuePlace place{iova_, iova_ + submission_bytes(options_), options_.entries, !options_.polling};
  return error != 0 ? error : controller_.create(id(), place);
}

void NvmeQueue::close() {
  (void)controller_.destroy(id());  // a drive that has stopped cannot be told
  buffers_.close();
  port_.unmap(iova_, queues_bytes(options_), options_.buffers.cpu);
}

bool NvmeQueue::run() {
  for (;;) {
    bool worked = reap();
    worked |= submit();
    if (exhausted_ && free_.size() == slots_.size()) return true;
    if (worked || wait_.wait()) continue;
    if (controller_.failed()) return false;
  }
}

bool NvmeQueue::submit() {
  std::uint32_t submitted = 0;
  while (!free_.empty() && buffers_.available() && submitted < options_.batch) {
    NvmeIo io;
    if (exhausted_ || !client_.next(options_.queue, io)) {
      exhausted_ = true;
      break;
    }
    const std::uint16_t index = free_.back();
    Slot& slot = slots_[index];
    slot.io = io;
    slot.since_ns = os_.now_ns();
    os_.spend_ns(options_.command_ns);
    if (const int error = buffers_.take(slot.buffer); error != 0) {
      client_.done(options_.queue, io, -error, nullptr, 0);
      continue;
    }
    free_.pop_back();
    if (io.write) {
      client_.fill(options_.queue, io, data_.data());
      buffers_.write(slot.buffer, 0, data_.data(), std::size_t{io.blocks} * nvme_hw::kBlockBytes);
    }
    nvme_hw::Command command;
    command.set_head(io.write ? nvme_hw::kWrite : nvme_hw::kRead, index);
    command.set_range(io.block, io.blocks);
    name_pages(index, command);
    port_.write(offset_ + std::uint64_t{tail_} * nvme_hw::kCommandBytes, command.words, sizeof command.words);
    tail_ = tail_ + 1 == options_.entries ? 0 : tail_ + 1;
    ++submitted;
  }
  if (submitted != 0) mmio_.write32(nvme_hw::tail_doorbell(id()), tail_);
  return submitted != 0;
}

/// One page in PRP1, two in PRP1 and PRP2, more in a list.
void NvmeQueue::name_pages(std::uint32_t slot, nvme_hw::Command& command) {
  std::vector<std::uint64_t> pages;
  for (const Piece& piece : buffers_.pieces(slots_[slot].buffer))
    for (std::uint32_t at = 0; at < piece.bytes && pages.size() < slots_[slot].io.blocks; at += 4096)
      pages.push_back(piece.iova + at);
  command.set_prp1(pages[0]);
  if (pages.size() == 2) command.set_prp2(pages[1]);
  if (pages.size() <= 2) return;
  const std::uint64_t list = submission_bytes(options_) + completion_bytes(options_) + std::uint64_t{slot} * 4096;
  port_.write(offset_ + list, pages.data() + 1, (pages.size() - 1) * 8);
  command.set_prp2(iova_ + list);
}

bool NvmeQueue::reap() {
  const std::uint32_t before = head_;
  bool any = false;
  for (;;) {
    nvme_hw::Completion completion;
    port_.read(offset_ + submission_bytes(options_) + std::uint64_t{head_} * nvme_hw::kCompletionBytes,
               completion.words, sizeof completion.words);
    if (completion.phase() != phase_) break;
    any = true;
    head_ = head_ + 1 == options_.entries ? 0 : head_ + 1;
    if (head_ == 0) phase_ = !phase_;
    const std::uint16_t index = completion.id();
    Slot& slot = slots_[index];
    const bool read = !slot.io.write && completion.status() == nvme_hw::kSuccess;
    if (read) buffers_.read(slot.buffer, 0, data_.data(), std::size_t{slot.io.blocks} * nvme_hw::kBlockBytes);
    buffers_.give_back(slot.buffer);
    free_.push_back(index);
    client_.done(options_.queue, slot.io, completion.status(), read ? data_.data() : nullptr,
                 os_.now_ns() - slot.since_ns);
  }
  if (head_ != before || any) mmio_.write32(nvme_hw::head_doorbell(id()), head_);
  return any;
}

}  // namespace iommusim::drivers::rings
