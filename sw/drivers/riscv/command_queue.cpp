// SPDX-License-Identifier: Apache-2.0
// Submission, completion and error interrupt of the command queue.
#include "drivers/riscv/command_queue.h"

#include <cerrno>
#include <string>

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
constexpr auto kCommandErrors = static_cast<std::uint32_t>(hw::cqcsr::kCqmfMask | hw::cqcsr::kCmdToMask |
                                                           hw::cqcsr::kCmdIllMask | hw::cqcsr::kFenceWIpMask);

}  // namespace

CommandQueue::CommandQueue(const Ports& ports) : ports_(ports), queue_(ports, kCommandQueueLayout) {}

int CommandQueue::enable(unsigned log2_entries) {
  producer_ = tail_ = head_ = 0;
  dead_ = false;
  error_head_ = ~0ULL;
  return queue_.enable(log2_entries);
}

void CommandQueue::disable() {
  dead_ = true;
  queue_.disable();
}

int CommandQueue::give_up(const char* what) {
  if (!dead_.exchange(true)) ports_.os.log(std::string("riscv-iommu: command queue: ") + what);
  return ETIMEDOUT;
}

// cqh is the true head modulo the size. The true head is never a full turn ahead of the shadow: slots beyond that are
// only admitted after the shadow moved. So the difference is exact, or too small when the shadow was read long ago.
std::uint64_t CommandQueue::observe_head() {
  const std::uint64_t mask = queue_.entries() - 1;
  std::uint64_t shadow = head_.load();
  const std::uint64_t index = ports_.mmio.read32(hw::kCqhOffset);
  const std::uint64_t head = shadow + ((index - shadow) & mask);
  while (shadow < head && !head_.compare_exchange_weak(shadow, head)) {
  }
  return std::max(shadow, head);
}

int CommandQueue::submit(const Command& command) {
  std::uint64_t slot = 0;
  return submit_to(command, slot);
}

int CommandQueue::submit_to(const Command& command, std::uint64_t& slot) {
  if (dead_) return EIO;
  const std::uint64_t room = queue_.entries() - 1;  // IOMMU 3: full when the tail is the head minus one
  slot = producer_.fetch_add(1);
  const bool space = poll_until(ports_.os, kQueueLimitNs, [&] {
    const std::uint64_t distance = slot - head_.load();
    if (distance < room || dead_) return true;
    return distance == room && slot - observe_head() < room;  // the first in the line looks for all
  });
  if (dead_) return EIO;
  if (!space) return give_up("no space");

  ports_.memory.write(queue_.entry(slot), command.data(), hw::kCommandBytes);
  if (!poll_until(ports_.os, kQueueLimitNs, [&] { return tail_.load() == slot || dead_; }))
    return give_up("an earlier slot is not filled");
  if (dead_) return EIO;
  ports_.memory.barrier();  // the command, and all page-table stores before it, precede the tail
  ports_.mmio.write32(hw::kCqtOffset, static_cast<std::uint32_t>((slot + 1) & room));
  tail_.store(slot + 1);
  return 0;
}

int CommandQueue::fence() {
  std::uint64_t slot = 0;
  if (const int error = submit_to(iofence(), slot)) return error;
  fences_.fetch_add(1, std::memory_order_relaxed);
  const bool passed = poll_until(ports_.os, kInvalidationLimitNs, [&] { return observe_head() > slot || dead_; });
  if (!passed) return give_up("a fence does not complete");
  return dead_ && head_.load() <= slot ? EIO : 0;
}

void CommandQueue::handle_interrupt() {
  const std::uint32_t csr = ports_.mmio.read32(hw::kCqcsrOffset);
  const std::uint32_t errors = csr & kCommandErrors;
  if (errors != 0) {
    // Counted before the bit is cleared: only then does the fence go on, so who waits for it sees the count.
    if (errors & hw::cqcsr::kCmdToMask) time_outs_.fetch_add(1);
    const std::uint64_t head = observe_head();
    error_repeats_ = head == error_head_ ? std::min(error_repeats_ + 1, 14U) : 0;
    error_head_ = head;
    if (limit_.allow(ports_.os.now_ns()))
      ports_.os.log(
          "riscv-iommu: command queue error:" + std::string(errors & hw::cqcsr::kCqmfMask ? " memory fault" : "") +
          (errors & hw::cqcsr::kCmdToMask ? " timeout" : "") +
          (errors & hw::cqcsr::kCmdIllMask ? " illegal command" : "") +
          (errors & hw::cqcsr::kFenceWIpMask ? " fence interrupt" : "") + " at " + std::to_string(head));
    // The same command fails again as soon as the bits are cleared; do not let that fill all time.
    if (error_repeats_ != 0) ports_.os.sleep_ns(1000ULL << error_repeats_);
    ports_.mmio.write32(hw::kCqcsrOffset, kCommandQueueLayout.enable | errors);
  }
  ports_.mmio.write32(hw::kIpsrOffset, kCommandQueueLayout.pending);
}

}  // namespace iommusim::drivers::riscv
