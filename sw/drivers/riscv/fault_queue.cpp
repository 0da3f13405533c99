// SPDX-License-Identifier: Apache-2.0
// Draining and error bits of the fault queue.
#include "drivers/riscv/fault_queue.h"

#include <array>
#include <cstdio>
#include <mutex>

namespace iommusim::drivers::riscv {
namespace {

constexpr QueueLayout kFaultQueueLayout{
    "fault queue",
    hw::kFqbOffset,
    hw::kFqhOffset,
    hw::kFqcsrOffset,
    static_cast<std::uint32_t>(hw::fqcsr::kFqenMask | hw::fqcsr::kFieMask),
    static_cast<std::uint32_t>(hw::fqcsr::kFqmfMask),
    static_cast<std::uint32_t>(hw::fqcsr::kFqonMask),
    static_cast<std::uint32_t>(hw::fqcsr::kBusyMask),
    static_cast<std::uint32_t>(hw::ipsr::kFipMask),
    hw::kFaultRecordBytes,
};

FaultRecord decode(const std::array<std::uint64_t, 4>& words) {
  FaultRecord record;
  record.cause = static_cast<std::uint32_t>(field_of(words[0], hw::fault_w0::kCauseMask, hw::fault_w0::kCauseShift));
  record.process_id = static_cast<std::uint32_t>(field_of(words[0], hw::fault_w0::kPidMask, hw::fault_w0::kPidShift));
  record.process_valid = (words[0] & hw::fault_w0::kPvMask) != 0;
  record.supervisor = (words[0] & hw::fault_w0::kPrivMask) != 0;
  record.transaction =
      static_cast<std::uint32_t>(field_of(words[0], hw::fault_w0::kTtypMask, hw::fault_w0::kTtypShift));
  record.device_id = static_cast<std::uint32_t>(field_of(words[0], hw::fault_w0::kDidMask, hw::fault_w0::kDidShift));
  record.iotval = words[2];
  record.iotval2 = words[3];
  return record;
}

}  // namespace

void encode(const FaultRecord& record, std::uint64_t (&words)[4]) {
  namespace word0 = hw::fault_w0;
  words[0] = (std::uint64_t{record.cause} << word0::kCauseShift) |
             (std::uint64_t{record.process_id} << word0::kPidShift) | (record.process_valid ? word0::kPvMask : 0) |
             (record.supervisor ? word0::kPrivMask : 0) | (std::uint64_t{record.transaction} << word0::kTtypShift) |
             (std::uint64_t{record.device_id} << word0::kDidShift);
  words[1] = 0;
  words[2] = record.iotval;
  words[3] = record.iotval2;
}

bool is_of_first_stage(std::uint32_t cause) {
  switch (static_cast<hw::Cause>(cause)) {
    case hw::Cause::kInstructionPageFault:
    case hw::Cause::kReadPageFault:
    case hw::Cause::kWritePageFault:
    case hw::Cause::kTransactionTypeDisallowed:
    case hw::Cause::kPdtAccessFault:
    case hw::Cause::kPdtNotValid:
    case hw::Cause::kPdtMisconfigured:
    case hw::Cause::kPdtCorrupt:
      return true;
    default:
      return false;
  }
}

std::string to_string(const FaultRecord& record) {
  std::array<char, 160> line{};
  std::snprintf(line.data(), line.size(), "fault: cause %u device 0x%x transaction %u iotval 0x%llx iotval2 0x%llx",
                record.cause, record.device_id, record.transaction, static_cast<unsigned long long>(record.iotval),
                static_cast<unsigned long long>(record.iotval2));
  return line.data();
}

FaultQueue::FaultQueue(const Ports& ports)
    : ports_(ports), queue_(ports, kFaultQueueLayout), lock_(ports.os.make_mutex()) {}

int FaultQueue::enable(unsigned log2_entries) {
  head_ = 0;
  return queue_.enable(log2_entries);
}

void FaultQueue::disable() { queue_.disable(); }

void FaultQueue::handle_interrupt() {
  ports_.mmio.write32(hw::kIpsrOffset, kFaultQueueLayout.pending);
  drain();
  const auto errors =
      static_cast<std::uint32_t>(ports_.mmio.read32(hw::kFqcsrOffset) & (hw::fqcsr::kFqmfMask | hw::fqcsr::kFqofMask));
  if (errors == 0) return;
  ports_.mmio.write32(hw::kFqcsrOffset, kFaultQueueLayout.enable | errors);
  if (limit_.allow(ports_.os.now_ns()))
    ports_.os.log(std::string("riscv-iommu: fault queue:") + (errors & hw::fqcsr::kFqofMask ? " overflow" : "") +
                  (errors & hw::fqcsr::kFqmfMask ? " memory fault" : "") + ", records are lost");
  {
    const std::lock_guard guard(*lock_);
    if (errors & hw::fqcsr::kFqofMask) ++overflows_;
  }
  drain();  // hardware records again since the clear
}

void FaultQueue::drain() {
  const std::uint64_t mask = queue_.entries() - 1;
  for (;;) {
    const std::uint64_t pending = (ports_.mmio.read32(hw::kFqtOffset) - head_) & mask;
    if (pending == 0) return;
    for (const std::uint64_t end = head_ + pending; head_ != end; ++head_) {
      std::array<std::uint64_t, 4> words{};
      ports_.memory.read(queue_.entry(head_), words.data(), sizeof words);
      const FaultRecord record = decode(words);
      if (record.cause != 0) accept(record);
    }
    ports_.mmio.write32(hw::kFqhOffset, static_cast<std::uint32_t>(head_ & mask));
  }
}

void FaultQueue::accept(const FaultRecord& record) {
  if (limit_.allow(ports_.os.now_ns())) ports_.os.log("riscv-iommu: " + to_string(record));
  {
    const std::lock_guard guard(*lock_);
    ++records_;
    if (kept_.size() == kKept) kept_.pop_front();
    kept_.push_back(record);
  }
  if (listener_) listener_(record);
  if (guest_listener_) guest_listener_(record);
}

std::vector<FaultRecord> FaultQueue::take_records() {
  const std::lock_guard guard(*lock_);
  std::vector<FaultRecord> taken(kept_.begin(), kept_.end());
  kept_.clear();
  return taken;
}

std::uint64_t FaultQueue::records() const {
  const std::lock_guard guard(*lock_);
  return records_;
}

std::uint64_t FaultQueue::overflows() const {
  const std::lock_guard guard(*lock_);
  return overflows_;
}

}  // namespace iommusim::drivers::riscv
