// SPDX-License-Identifier: Apache-2.0
// The page-request queue (IOMMU 3.3, 6.5): drains records in the interrupt thread, puts the requests of a group
// together until its last one came, hands complete groups to the handler of their device, and sends the answers. When
// the queue overflowed, groups that are incomplete then never become complete: they are dropped, and the device asks
// again because the IOMMU answered for software.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <utility>

#include "domain/page_fault.h"
#include "drivers/riscv/command_queue.h"

namespace iommusim::drivers::riscv {

class PageQueue {
 public:
  PageQueue(const Ports& ports, CommandQueue& commands);

  int enable(unsigned log2_entries);
  void disable();
  void handle_interrupt();

  /// Who handles faults of a device id; null: nobody. Returns when no call of the one before is running; what is
  /// incomplete is dropped.
  void set_handler(std::uint32_t device_id, domain::PageFaultHandler* handler);
  /// The device wants the PASID of its request in each answer (PRI: PRG Response PASID Required).
  void set_answers_with_pasid(std::uint32_t device_id, bool with_pasid);
  void answer(const domain::PageFaultGroup& group, domain::PageAnswer answer);

  std::uint64_t requests() const { return requests_.load(); }    ///< records drained
  std::uint64_t groups() const { return groups_.load(); }        ///< handed to a handler
  std::uint64_t dropped() const { return dropped_.load(); }      ///< incomplete groups given up
  std::uint64_t overflows() const { return overflows_.load(); }  ///< times that requests were lost (queue full)

 private:
  using Name = std::pair<std::uint32_t, std::uint32_t>;  // device id, group index
  void drain();
  void accept(std::uint64_t word0, std::uint64_t word1);
  void deliver(const domain::PageFaultGroup& group);
  template <class Drop>
  void drop_if(Drop&& drop);

  const Ports& ports_;
  CommandQueue& commands_;
  HardwareQueue queue_;
  std::uint64_t head_ = 0;            // running number of the next record; of the interrupt thread alone
  std::unique_ptr<hal::Mutex> lock_;  // held while a handler runs; guards the maps
  std::map<std::uint32_t, domain::PageFaultHandler*> handlers_;  // by device id
  std::map<Name, domain::PageFaultGroup> incomplete_;
  std::unique_ptr<hal::Mutex> wishes_lock_;  // guards with_pasid_; within lock_, too
  std::set<std::uint32_t> with_pasid_;       // device ids
  hal::RateLimit limit_;
  std::atomic<std::uint64_t> requests_{0}, groups_{0}, dropped_{0}, overflows_{0};
};

}  // namespace iommusim::drivers::riscv
