// SPDX-License-Identifier: Apache-2.0
// Submission and completion. While the queue moves to other memory nobody writes entries or reads the head: enter()
// and leave() count who does.
#include "drivers/riscv/command_queue.h"

#include <cerrno>
#include <string>
#include <utility>

#include "hal/contradiction.h"

namespace iommusim::drivers::riscv {
namespace {

constexpr QueueLayout kCommandQueueLayout{
    "command queue",
    hw::kCqbOffset,
    hw::kCqtOffset,
    hw::kCqcsrOffset,
    static_cast<std::uint32_t>(hw::cqcsr::kCqenMask | hw::cqcsr::kCieMask),
    static_cast<std::uint32_t>(hw::cqcsr::kCqmfMask),
    static_cast<std::uint32_t>(hw::cqcsr::kCqonMask),
    static_cast<std::uint32_t>(hw::cqcsr::kBusyMask),
    static_cast<std::uint32_t>(hw::ipsr::kCipMask),
    hw::kCommandBytes,
};

}  // namespace

CommandQueue::CommandQueue(const Ports& ports) : ports_(ports), queue_(ports, kCommandQueueLayout) {}

int CommandQueue::enable(unsigned log2_entries) {
  producer_ = tail_ = head_ = origin_ = 0;
  dead_ = false;
  error_head_ = ~0ULL;
  if (const int error = queue_.enable(log2_entries)) return error;
  entries_ = queue_.entries();
  copies_.resize(entries_);
  return 0;
}

void CommandQueue::disable() {
  dead_ = true;
  queue_.disable();
}

int CommandQueue::give_up(const char* what) {
  if (!dead_.exchange(true)) ports_.os.log(std::string("riscv-iommu: command queue: ") + what);
  return ETIMEDOUT;
}

bool CommandQueue::enter() {
  inside_.fetch_add(1);
  if (!moving_.load()) return true;
  leave();
  return false;
}

// cqh is the true head modulo the size. The true head is never a full turn ahead of the shadow: slots beyond that are
// only admitted after the shadow moved. So the difference is exact, or too small when the shadow was read long ago.
std::uint64_t CommandQueue::observe_head() {
  const std::uint64_t mask = entries_ - 1;
  std::uint64_t shadow = head_.load();
  const std::uint64_t index = ports_.mmio.read32(hw::kCqhOffset);
  const std::uint64_t head = shadow + ((index - (shadow - origin_.load())) & mask);
  while (shadow < head && !head_.compare_exchange_weak(shadow, head)) {
  }
  return std::max(shadow, head);
}

int CommandQueue::submit(const Command& command) {
  std::uint64_t slot = 0;
  return submit(&command, 1, slot);
}

int CommandQueue::submit(const Command* commands, unsigned count, std::uint64_t& last) {
  if (dead_) return EIO;
  const std::uint64_t first = producer_.fetch_add(count);
  last = first + (count - 1);
  if (const int error = wait_for_space(first, count)) return error;
  return hand_over(first, commands, count);
}

int CommandQueue::wait_for_space(std::uint64_t slot, unsigned count) {
  const std::uint64_t room = entries_ - 1;  // IOMMU 3: full when the tail is the head minus one
  hal::ensure(count <= room, "more commands at a time than the queue can hold");
  const std::uint64_t last = slot + (count - 1);
  const bool space = poll_until(ports_.os, kQueueLimitNs, [&] {
    const std::uint64_t head = head_.load();
    if (last - head < room || dead_) return true;
    // The first in the line looks for all: who wants the first slot that there is no room for.
    if (slot - head > room || !enter()) return false;
    const std::uint64_t now = observe_head();
    leave();
    return last - now < room;
  });
  if (dead_) return EIO;
  return space ? 0 : give_up("no space");
}

int CommandQueue::hand_over(std::uint64_t slot, const Command* commands, unsigned count) {
  for (;;) {
    if (!poll_until(ports_.os, kQueueLimitNs, [&] { return enter(); })) return give_up("it does not come on again");
    const std::uint64_t mask = entries_ - 1;
    for (unsigned i = 0; i < count; ++i) {
      copies_[(slot + i) & mask] = commands[i];
      ports_.memory.write(entry(slot + i), commands[i].data(), hw::kCommandBytes);
    }
    const bool turn = poll_until(ports_.os, kQueueLimitNs, [&] { return tail_.load() == slot || dead_ || moving_; });
    const bool mine = tail_.load() == slot && !dead_;
    if (mine) {
      ports_.memory.barrier();  // the commands, and all page-table stores before them, precede the tail
      ports_.mmio.write32(hw::kCqtOffset, static_cast<std::uint32_t>((slot + count - origin_.load()) & mask));
      tail_.store(slot + count);
    }
    leave();
    if (mine) return 0;
    if (dead_) return EIO;
    if (!turn) return give_up("an earlier slot is not filled");
  }
}

int CommandQueue::fence() {
  std::uint64_t slot = 0;
  const Command command = iofence();
  if (const int error = submit(&command, 1, slot)) return error;
  return wait_for_fence(slot);
}

int CommandQueue::wait_for_fence(std::uint64_t slot) {
  fences_.fetch_add(1, std::memory_order_relaxed);
  const bool passed = poll_until(ports_.os, kInvalidationLimitNs, [&] {
    if (dead_) return true;
    if (!enter()) return false;
    const std::uint64_t head = observe_head();
    leave();
    return head > slot;
  });
  if (!passed) return give_up("a fence does not complete");
  return dead_ && head_.load() <= slot ? EIO : 0;
}

CommandBatch::CommandBatch(CommandQueue& queue, unsigned limit)
    : queue_(queue), limit_(static_cast<unsigned>(std::min<std::uint64_t>({limit, kMost, queue.entries() - 1}))) {}

int CommandBatch::add(const Command& command) {
  commands_[count_++] = command;
  return count_ < limit_ ? 0 : flush();
}

int CommandBatch::close(std::uint64_t& slot) {
  commands_[count_++] = iofence();
  const unsigned count = std::exchange(count_, 0U);
  return queue_.submit(commands_.data(), count, slot);
}

int CommandBatch::flush() {
  std::uint64_t slot = 0;
  const unsigned count = std::exchange(count_, 0U);
  return count == 0 ? 0 : queue_.submit(commands_.data(), count, slot);
}

}  // namespace iommusim::drivers::riscv
