// SPDX-License-Identifier: Apache-2.0
#include "drivers/riscv/page_queue.h"

#include <array>
#include <mutex>
#include <string>

namespace iommusim::drivers::riscv {
namespace {

constexpr QueueLayout kPageQueueLayout{
    "page-request queue",
    hw::kPqbOffset,
    hw::kPqhOffset,
    hw::kPqcsrOffset,
    static_cast<std::uint32_t>(hw::pqcsr::kPqenMask | hw::pqcsr::kPieMask),
    static_cast<std::uint32_t>(hw::pqcsr::kPqmfMask),
    static_cast<std::uint32_t>(hw::pqcsr::kPqonMask),
    static_cast<std::uint32_t>(hw::pqcsr::kBusyMask),
    static_cast<std::uint32_t>(hw::ipsr::kPipMask),
    hw::kPageRequestBytes,
};
constexpr auto kPageQueueErrors = static_cast<std::uint32_t>(hw::pqcsr::kPqmfMask | hw::pqcsr::kPqofMask);

constexpr std::uint64_t code_of(domain::PageAnswer answer) {
  switch (answer) {
    case domain::PageAnswer::kSuccess:
      return 0;
    case domain::PageAnswer::kInvalid:
      return 1;
    case domain::PageAnswer::kFailure:
      return 15;
  }
  return 15;
}

}  // namespace

PageQueue::PageQueue(const Ports& ports, CommandQueue& commands)
    : ports_(ports),
      commands_(commands),
      queue_(ports, kPageQueueLayout),
      lock_(ports.os.make_mutex()),
      wishes_lock_(ports.os.make_mutex()) {}

int PageQueue::enable(unsigned log2_entries) {
  head_ = 0;
  incomplete_.clear();
  return queue_.enable(log2_entries);
}

void PageQueue::disable() { queue_.disable(); }

/// Pending first, then drain: a record that arrives in between raises it again. While an error bit is set nothing is
/// queued, so after a second drain what is incomplete stays so.
void PageQueue::handle_interrupt() {
  ports_.mmio.write32(hw::kIpsrOffset, kPageQueueLayout.pending);
  drain();
  const std::uint32_t errors = ports_.mmio.read32(hw::kPqcsrOffset) & kPageQueueErrors;
  if (errors == 0) return;
  drain();
  drop_if([](const Name&, const domain::PageFaultGroup&) { return true; });
  if (errors & hw::pqcsr::kPqofMask) ++overflows_;
  if (limit_.allow(ports_.os.now_ns()))
    ports_.os.log(std::string("riscv-iommu: page-request queue:") + (errors & hw::pqcsr::kPqofMask ? " overflow" : "") +
                  (errors & hw::pqcsr::kPqmfMask ? " memory fault" : "") + ", requests are lost");
  ports_.mmio.write32(hw::kPqcsrOffset, kPageQueueLayout.enable | errors);
  drain();
}

void PageQueue::drain() {
  const std::uint64_t mask = queue_.entries() - 1;
  for (;;) {
    const std::uint64_t pending = (ports_.mmio.read32(hw::kPqtOffset) - head_) & mask;
    if (pending == 0) return;
    for (const std::uint64_t end = head_ + pending; head_ != end; ++head_) {
      std::array<std::uint64_t, 2> words{};
      ports_.memory.read(queue_.entry(head_), words.data(), sizeof words);
      accept(words[0], words[1]);
    }
    ports_.mmio.write32(hw::kPqhOffset, static_cast<std::uint32_t>(head_ & mask));
  }
}

/// IOMMU 3.3. A Stop Marker (L alone) says that no more requests of its PASID are under way: what is incomplete then
/// stays so, and nobody waits for an answer.
void PageQueue::accept(std::uint64_t word0, std::uint64_t word1) {
  namespace record0 = hw::page_request_w0;
  namespace record1 = hw::page_request_w1;
  ++requests_;
  const auto device_id = static_cast<std::uint32_t>(field_of(word0, record0::kDidMask, record0::kDidShift));
  const bool process_valid = (word0 & record0::kPvMask) != 0;
  const auto process_id = static_cast<std::uint32_t>(field_of(word0, record0::kPidMask, record0::kPidShift));
  domain::PageFault fault;
  fault.iova = word1 & record1::kPageMask;
  fault.read = (word1 & record1::kRMask) != 0;
  fault.write = (word1 & record1::kWMask) != 0;
  fault.execute = (word0 & record0::kExecMask) != 0;
  fault.privileged = (word0 & record0::kPrivMask) != 0;
  const bool last = (word1 & record1::kLMask) != 0;
  if (last && !fault.read && !fault.write)
    return drop_if([&](const Name& name, const domain::PageFaultGroup& group) {
      return name.first == device_id && group.process_valid == process_valid && group.process_id == process_id;
    });

  const std::unique_lock guard(*lock_);
  const Name name{device_id, static_cast<std::uint32_t>(field_of(word1, record1::kGroupMask, record1::kGroupShift))};
  domain::PageFaultGroup& group = incomplete_[name];
  group.device_id = name.first;
  group.process_valid = process_valid;
  group.process_id = process_id;
  group.index = name.second;
  group.pages.push_back(fault);
  if (!last) return;
  const domain::PageFaultGroup complete = std::move(group);
  incomplete_.erase(name);
  deliver(complete);
}

/// With the lock held.
void PageQueue::deliver(const domain::PageFaultGroup& group) {
  const auto handler = handlers_.find(group.device_id);
  if (handler == handlers_.end()) return answer(group, domain::PageAnswer::kInvalid);
  ++groups_;
  handler->second->page_fault(group);
}

template <class Drop>
void PageQueue::drop_if(Drop&& drop) {
  const std::unique_lock guard(*lock_);
  for (auto at = incomplete_.begin(); at != incomplete_.end();) {
    const bool gone = drop(at->first, at->second);
    dropped_ += gone ? 1 : 0;
    at = gone ? incomplete_.erase(at) : std::next(at);
  }
}

void PageQueue::set_handler(std::uint32_t device_id, domain::PageFaultHandler* handler) {
  drop_if([&](const Name& name, const domain::PageFaultGroup&) { return name.first == device_id; });
  const std::unique_lock guard(*lock_);
  if (handler != nullptr)
    handlers_[device_id] = handler;
  else
    handlers_.erase(device_id);
}

void PageQueue::set_answers_with_pasid(std::uint32_t device_id, bool with_pasid) {
  const std::lock_guard guard(*wishes_lock_);
  if (with_pasid)
    with_pasid_.insert(device_id);
  else
    with_pasid_.erase(device_id);
}

/// PCIe PRI: a failure names the PASID of its request, another answer only for a device that wants it.
void PageQueue::answer(const domain::PageFaultGroup& group, domain::PageAnswer answer) {
  bool with_pasid = answer == domain::PageAnswer::kFailure;
  if (!with_pasid) {
    const std::lock_guard guard(*wishes_lock_);
    with_pasid = with_pasid_.count(group.device_id) != 0;
  }
  (void)commands_.submit(group.process_valid && with_pasid
                             ? ats_prgr_of_process(group.device_id, group.process_id, group.index, code_of(answer))
                             : ats_prgr(group.device_id, group.index, code_of(answer)));
}

}  // namespace iommusim::drivers::riscv
