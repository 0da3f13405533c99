// SPDX-License-Identifier: Apache-2.0
// What stops the command queue, and how it goes on (IOMMU 3.1, 5.8). Hardware stands at the entry that it could not
// fetch or did not accept, and goes there again once the error bits are cleared. A first error is taken for a passing
// one. One that persists at an entry:
//   illegal command: the entry is written again, as it was submitted; then a command takes its place that does more
//     (a whole address space instead of a page), if there is one. An invalidation of a device's cache that is refused
//     counts as one that was not answered: the device is asked again, and lost if it cannot be.
//   memory fault: the queue moves to other memory, with what was not done yet.
// When nothing helps, the queue is dead.
#include <cerrno>
#include <string>

#include "drivers/riscv/command_queue.h"

namespace iommusim::drivers::riscv {
namespace {

constexpr auto kCommandErrors = static_cast<std::uint32_t>(hw::cqcsr::kCqmfMask | hw::cqcsr::kCmdToMask |
                                                           hw::cqcsr::kCmdIllMask | hw::cqcsr::kFenceWIpMask);
constexpr auto kEnableBits = static_cast<std::uint32_t>(hw::cqcsr::kCqenMask | hw::cqcsr::kCieMask);

constexpr unsigned kFaultsBeforeMove = 4;  // of fetches from one entry
constexpr unsigned kTriesOfAnEntry = 12;

std::uint64_t opcode_of(const Command& command) { return command[0] & hw::command::kOpcodeMask; }
std::uint64_t func3_of(const Command& command) {
  return field_of(command[0], hw::command::kFunc3Mask, hw::command::kFunc3Shift);
}

/// IOMMU 3.1.1: without its narrowest operand. A command with GV = 0 is about the host, so GV stays in IOTINVAL.VMA.
bool widen_iotinval(Command& command) {
  namespace word0 = hw::iotinval_w0;
  if (command[0] & word0::kAvMask) {
    command[0] &= ~(word0::kAvMask | word0::kNlMask);
    command[1] = 0;
  } else if (command[0] & word0::kPscvMask) {
    command[0] &= ~(word0::kPscvMask | word0::kPscidMask);
  } else if ((command[0] & word0::kGvMask) != 0 && func3_of(command) == hw::iotinval_func3::kGvma) {
    command[0] &= ~(word0::kGvMask | word0::kGscidMask);
  } else {
    return false;
  }
  return true;
}

/// IOMMU 3.1.3: INVAL_DDT takes the process contexts of its devices along.
bool widen_iodir(Command& command) {
  namespace word0 = hw::iodir_w0;
  if ((command[0] & word0::kDvMask) == 0) return false;
  if (func3_of(command) == hw::iodir_func3::kInvalPdt)
    command = inval_ddt(static_cast<std::uint32_t>(field_of(command[0], word0::kDidMask, word0::kDidShift)));
  else
    command = inval_ddt_all();
  return true;
}

}  // namespace

void CommandQueue::handle_interrupt() {
  const std::uint32_t csr = ports_.mmio.read32(hw::kCqcsrOffset);
  const std::uint32_t errors = csr & kCommandErrors;
  if (errors != 0) {
    // Counted before the bit is cleared: only then does the fence go on, so who waits for it sees the count.
    if (errors & hw::cqcsr::kCmdToMask) time_outs_.fetch_add(1);
    const std::uint64_t head = observe_head();
    error_repeats_ = head == error_head_ ? std::min(error_repeats_ + 1, 14U) : 0;
    error_head_ = head;
    if (limit_.allow(ports_.os.now_ns())) report(errors, head);
    // The same command fails again as soon as the bits are cleared; do not let that fill all time.
    if (error_repeats_ != 0) ports_.os.sleep_ns(1000ULL << error_repeats_);
    if (error_repeats_ != 0 && head < tail_.load() && !dead_) repair(errors, head);
    if (queue_.has_memory()) ports_.mmio.write32(hw::kCqcsrOffset, kEnableBits | errors);
  }
  ports_.mmio.write32(hw::kIpsrOffset, queue_.layout().pending);
}

void CommandQueue::report(std::uint32_t errors, std::uint64_t head) {
  ports_.os.log(
      "riscv-iommu: command queue error:" + std::string(errors & hw::cqcsr::kCqmfMask ? " memory fault" : "") +
      (errors & hw::cqcsr::kCmdToMask ? " timeout" : "") + (errors & hw::cqcsr::kCmdIllMask ? " illegal command" : "") +
      (errors & hw::cqcsr::kFenceWIpMask ? " fence interrupt" : "") + " at " + std::to_string(head));
}

void CommandQueue::repair(std::uint32_t errors, std::uint64_t head) {
  const bool refused = (errors & hw::cqcsr::kCmdIllMask) != 0, fault = (errors & hw::cqcsr::kCqmfMask) != 0;
  if (!refused && !fault) return;
  if (error_repeats_ == kTriesOfAnEntry) {
    (void)give_up("an entry stops it whatever is done");
  } else if (fault) {
    if (error_repeats_ == kFaultsBeforeMove) move(head);
  } else if (error_repeats_ == 1) {
    write_again(head);
  } else {
    replace(head);
  }
}

void CommandQueue::write_again(std::uint64_t slot) {
  const Command& copy = copies_[slot & (entries_ - 1)];
  ports_.memory.write(entry(slot), copy.data(), hw::kCommandBytes);
  ports_.memory.barrier();
}

void CommandQueue::replace(std::uint64_t slot) {
  Command& command = copies_[slot & (entries_ - 1)];
  switch (opcode_of(command)) {
    case hw::opcode::kIotinval:
      if (!widen_iotinval(command)) return;
      break;
    case hw::opcode::kIodir:
      if (!widen_iodir(command)) return;
      break;
    case hw::opcode::kAts:
      if (func3_of(command) == hw::ats_func3::kInval) time_outs_.fetch_add(1);
      command = iofence_commands();
      break;
    default:
      return;
  }
  ++replaced_;
  write_again(slot);
}

void CommandQueue::move(std::uint64_t head) {
  moving_ = true;
  const bool alone = poll_until(ports_.os, kQueueLimitNs, [&] { return inside_.load() == 0; });
  const std::uint64_t tail = tail_.load();
  if (!alone || queue_.move(queue_.log2_entries()) != 0 || queue_.entries() != entries_) {
    (void)give_up("its memory fails, and there is no other");
    moving_ = false;
    return;
  }
  origin_ = head;
  for (std::uint64_t slot = head; slot != tail; ++slot) write_again(slot);
  ports_.mmio.write32(hw::kCqtOffset, static_cast<std::uint32_t>(tail - head));
  ++moves_;
  moving_ = false;
}

}  // namespace iommusim::drivers::riscv
