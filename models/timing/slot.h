// SPDX-License-Identifier: Apache-2.0
// A request inside the IOMMU: its translation process and where it is in the pipeline. Slots are taken once, at
// construction, and named by number.
#pragma once

#include "base/time.h"
#include "record/event.h"
#include "translate/translation.h"

namespace iommusim::timing {

inline constexpr std::uint32_t kNoSlot = ~0U;

enum class SlotState : std::uint8_t {
  kFree,
  kIngress,
  kDeviceLookup,
  kDeviceMerged,      ///< waits for another request's directory walk
  kDeviceWalkerWait,  ///< missed, waits for a directory walker
  kDeviceWalk,
  kProcessLookup,  ///< as for devices
  kProcessMerged,
  kProcessWalkerWait,
  kProcessWalk,
  kMsiLookup,
  kTranslationLookup,
  kMissStall,   ///< missed, the miss table is full
  kMerged,      ///< waits for another request's page-table walk
  kWalkerWait,  ///< waits for a walker; in the miss table, unless it is to read an MSI PTE only
  kWalk,
  kFaultRecord,  ///< answered with an error; its record is being written
};

inline record::Access record_access_of(const translate::Request& request) {
  if (request.access == translate::Access::kAtomic) return record::Access::kAtomic;
  if (request.is_write()) return record::Access::kWrite;
  return request.execute ? record::Access::kExecute : record::Access::kRead;
}

/// Returned with a translated request and given back when the memory system has performed it: what a fence waits for.
struct FenceTicket {
  std::uint8_t epoch = 0;
  bool is_write = false;
};

/// When a request passed which stage (kNever: it did not), and where it found its translation. For records only.
struct Timeline {
  std::uint64_t id = 0;  ///< requests are numbered from 1 as they are accepted
  base::Cycle picked = base::kNever;
  base::Cycle device_context = base::kNever;
  base::Cycle process_context = base::kNever;
  base::Cycle iotlb = base::kNever;
  base::Cycle walk_start = base::kNever;
  base::Cycle walk_end = base::kNever;
  std::uint32_t reads = 0;
  record::Found found = record::Found::kNothing;

  void looked_up(base::Cycle now) {
    if (iotlb == base::kNever) iotlb = now;
  }
  void hit() {
    if (found == record::Found::kNothing) found = record::Found::kIotlb;
  }
};

struct Slot {
  translate::Translation process{};
  Timeline timeline{};
  std::uint64_t cookie = 0;
  base::Cycle accepted = 0;
  base::Cycle walk_start = 0;
  base::Cycle looked_up_at = base::kNever;   ///< the last look-ups ended
  std::uint64_t picked_at_invalidation = 0;  ///< number of invalidations executed when it entered the pipeline
  std::uint32_t next = kNoSlot;              ///< in a list of waiting slots
  std::uint32_t miss = kNoSlot;              ///< its entry in a miss table
  std::uint32_t walk_reads = 0;
  std::uint32_t port = 0;  ///< of the device, at the shell
  SlotState state = SlotState::kFree;
  std::uint8_t epoch = 0;
  bool walked = false;      ///< missed something
  bool has_way = false;     ///< reserved in the IOTLB, for the fill
  bool has_fill = false;    ///< its walk filled the IOTLB
  bool has_result = false;  ///< `result` may serve those who waited for this request's walk
  translate::TranslationEntry result{};

  /// Only with one of the walkers may a request access memory.
  bool holds_walker() const {
    return state == SlotState::kWalk || state == SlotState::kDeviceWalk || state == SlotState::kProcessWalk;
  }
};

/// A first-in first-out list of slots through Slot::next.
class SlotList {
 public:
  bool empty() const { return head_ == kNoSlot; }
  template <class Slots>
  void push(Slots& slots, std::uint32_t i) {
    slots[i].next = kNoSlot;
    if (empty())
      head_ = i;
    else
      slots[tail_].next = i;
    tail_ = i;
  }
  template <class Slots>
  std::uint32_t pop(Slots& slots) {
    const std::uint32_t i = head_;
    head_ = slots[i].next;
    return i;
  }

 private:
  std::uint32_t head_ = kNoSlot;
  std::uint32_t tail_ = kNoSlot;
};

}  // namespace iommusim::timing
