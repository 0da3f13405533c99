// SPDX-License-Identifier: Apache-2.0
// What goes wrong on purpose: one entry under `inject:` says which events it looks at, which of these it strikes, and
// what happens then. Everything else of the model behaves as the architecture says of such an event.
#pragma once

#include <cstdint>
#include <string>

#include "params/describe.h"
#include "timing/structures.h"

namespace iommusim::timing {

enum class InjectionKind : std::uint8_t {
  kAccessFault,
  kPoison,
  kDelay,
  kIllegalCommand,
  kQueueStall,
  kAtsDrop,
  kAtsLate,
  kAtsTimeOut,
  kLinkRetry,
};
inline constexpr base::Choice<InjectionKind> kInjectionKinds[] = {
    {"access_fault", "a memory access is not performed; its answer is an error", InjectionKind::kAccessFault},
    {"poison", "a memory access is not performed; its answer says that the data is corrupt", InjectionKind::kPoison},
    {"delay", "the answer of a memory access comes delay_ns later", InjectionKind::kDelay},
    {"illegal_command", "a fetched command reads as one that does not exist", InjectionKind::kIllegalCommand},
    {"queue_stall", "the engine of a queue stands still for delay_ns before its next entry",
     InjectionKind::kQueueStall},
    {"ats_drop", "the completion of an ATS invalidation does not arrive", InjectionKind::kAtsDrop},
    {"ats_late", "the completion of an ATS invalidation arrives delay_ns later", InjectionKind::kAtsLate},
    {"ats_time_out", "an ATS invalidation is given up delay_ns after it was sent", InjectionKind::kAtsTimeOut},
    {"link_retry", "a packet from a device is sent once more, delay_ns later", InjectionKind::kLinkRetry},
};

enum class InjectionAccess : std::uint8_t { kAny, kRead, kWrite };
inline constexpr base::Choice<InjectionAccess> kInjectionAccesses[] = {
    {"any", "reads and writes", InjectionAccess::kAny},
    {"read", "reads", InjectionAccess::kRead},
    {"write", "writes and atomic updates", InjectionAccess::kWrite},
};

enum class InjectionQueue : std::uint8_t { kCommand, kFault, kPageRequest };
inline constexpr base::Choice<InjectionQueue> kInjectionQueues[] = {
    {"command", "the command queue", InjectionQueue::kCommand},
    {"fault", "the fault queue", InjectionQueue::kFault},
    {"page_request", "the page-request queue", InjectionQueue::kPageRequest},
};

struct InjectionParams {
  InjectionKind kind = InjectionKind::kAccessFault;
  AccessTarget target = AccessTarget::kOwn;
  InjectionAccess access = InjectionAccess::kAny;
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;
  std::int64_t device = -1;
  InjectionQueue queue = InjectionQueue::kCommand;
  std::string port;
  std::uint64_t skip = 0;
  std::uint64_t every = 1;
  std::uint64_t count = 0;
  double probability = 1;
  std::uint64_t delay_ns = 0;

  template <class V>
  static constexpr void describe(V&& v) {
    using P = InjectionParams;
    using params::Range;
    using params::Unit;
    v("kind", &P::kind, kInjectionKinds, "what happens");
    v("target", &P::target, kAccessTargets, "kinds of memory access: to what");
    v("access", &P::access, kInjectionAccesses, "kinds of memory access, link_retry: reads or writes");
    v("address", &P::address, Unit::kBytes, Range{0, ~0ULL},
      "kinds of memory access: first system-physical address; used when bytes is not 0");
    v("bytes", &P::bytes, Unit::kBytes, Range{0, ~0ULL},
      "kinds of memory access: length of the range that an access must touch; 0: everywhere");
    v("device", &P::device, Unit::kCount, Range{-1, 0xffffff}, "ats kinds, target dma: the device id; -1: any");
    v("queue", &P::queue, kInjectionQueues, "queue_stall: which queue");
    v("port", &P::port, "link_retry: name of the port; empty: any");
    v("skip", &P::skip, Unit::kCount, Range{0, ~0ULL}, "events that pass untouched at first");
    v("every", &P::every, Unit::kCount, Range{1, ~0ULL}, "after these, one of so many is struck, the first before all");
    v("count", &P::count, Unit::kCount, Range{0, ~0ULL}, "it strikes no more than so often; 0: no limit");
    v("probability", &P::probability, Unit::kCount, Range{0.0, 1.0},
      "of striking an event that is due, drawn with the timing seed");
    v("delay_ns", &P::delay_ns, Unit::kNs, Range{0, 1'000'000'000'000}, "how long; of an error: until it is answered");
  }

  bool strikes_memory() const { return kind <= InjectionKind::kIllegalCommand; }
  bool strikes_ats() const {
    return kind == InjectionKind::kAtsDrop || kind == InjectionKind::kAtsLate || kind == InjectionKind::kAtsTimeOut;
  }
};

/// What the machine around has: where an injection would never strike, it is refused.
struct InjectionScope {
  bool time = true;    ///< accesses and queues take time
  bool queues = true;  ///< queues have engines of their own, and ATS messages are handled there
  bool dma = true;     ///< the DMA of devices reaches memory inside the machine
  bool links = true;   ///< there is a bus
};

/// What contradicts itself although each value is in range. `field` is empty when nothing does.
struct InjectionObjection {
  std::string field;
  std::string text;
};
InjectionObjection object_to(const InjectionParams& injection, const InjectionScope& scope);

}  // namespace iommusim::timing
