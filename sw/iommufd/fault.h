// SPDX-License-Identifier: Apache-2.0
// A fault queue: page faults of the devices that are attached to page tables which name it, on their way to a program
// and back (R9). A unit is a complete group of page requests; it waits in the queue, and once the program has read it,
// under a cookie, in the table of responses. The end of the attachment that it came through answers it kInvalid in
// either place, so no device waits for a program that cannot answer any more.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>

#include "domain/page_fault.h"
#include "hal/os.h"
#include "hal/process.h"
#include "iommufd/object.h"

namespace iommusim::iommufd {

class Device;
class FaultFile;

class Fault final : public Object {
 public:
  static constexpr ObjectType kType = ObjectType::kFault;

  explicit Fault(hal::Os& os) : Object(kType), answers_lock_(os.make_mutex()), queue_lock_(os.make_mutex()) {}
  /// Nothing is pending: no page table names it any more.
  ~Fault() override;

  /// Puts a unit into the queue. `pasid` is that of the attachment, 0 without. In a thread of the driver: takes a lock
  /// for a moment only. May throw std::bad_alloc.
  void deliver(Device& device, std::uint32_t pasid, const domain::PageFaultGroup& group);
  /// Answers what came through that attachment, kInvalid. On return no answer to it is under way (R9.5).
  void answer_all(Device& device, std::uint32_t pasid);

  // Reads and writes of a program (uapi 6.1): bytes done or a negative errno.
  std::int64_t read(hal::Process& caller, std::uint64_t user_va, std::uint64_t bytes);
  std::int64_t write(hal::Process& caller, std::uint64_t user_va, std::uint64_t bytes);

  /// The open descriptor, or nullptr once it is closed. It calls this.
  void set_file(FaultFile* file);

 private:
  struct Unit {
    Device* device;
    std::uint32_t pasid;
    domain::PageFaultGroup group;
  };
  using Units = std::list<Unit>;

  int copy_unit(hal::Process& caller, std::uint64_t user_va, const Unit& unit, std::uint32_t cookie) const;
  void queue_changed_locked();

  std::unique_ptr<hal::Mutex> answers_lock_;  // serialises readers and answers; taken before queue_lock_
  std::map<std::uint32_t, Units> waiting_;    // by cookie, a unit each; answers_lock_
  std::unique_ptr<hal::Mutex> queue_lock_;    // for moments; only holders of both locks remove from the queue
  Units queue_;                               // queue_lock_
  FaultFile* file_ = nullptr;                 // queue_lock_
};

}  // namespace iommusim::iommufd
