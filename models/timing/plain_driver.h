// SPDX-License-Identifier: Apache-2.0
// A shell around the engine without SystemC: a loop from event to event, a memory port of fixed (or random) latency,
// and DMAs that take a fixed time once translated. Instances are created and destroyed freely: property tests,
// conformance, lockstep and embedding use it.
#pragma once

#include <vector>

#include "base/random.h"
#include "timing/engine.h"
#include "translate/functional.h"

namespace iommusim::timing {

struct PlainDriverParams {
  base::Cycle memory_cycles = 100;   ///< from the issue of an access to its answer
  base::Cycle memory_jitter = 0;     ///< random extra of 0..jitter cycles: answers overtake each other
  base::Cycle forward_cycles = 100;  ///< from the end of a translation until its DMA is performed
  std::uint64_t seed = 1;
};

class PlainDriver {
 public:
  /// `memory` answers at once; the driver keeps the answer until its time has come. Both must outlive the driver.
  PlainDriver(Engine& engine, translate::MemoryPort& memory, const PlainDriverParams& params);

  base::Cycle now() const { return now_; }
  const PlainDriverParams& params() const { return params_; }
  /// Takes the request in at now(), or returns false when the IOMMU holds it back.
  bool offer(const translate::Request& request, std::uint64_t cookie, std::uint32_t port = 0);
  /// A register access at now().
  void write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value);
  std::uint64_t read_register(std::uint32_t offset, unsigned bytes) const {
    return engine_.read_register(offset, bytes, now_);
  }
  /// A "Page Request" message arrives at now(); false: the IOMMU holds it back.
  bool page_request(const translate::PageRequest& request);
  bool invalidation_completion(const translate::InvalidationCompletion& message);
  void invalidation_time_out(std::uint32_t itag_vector);
  /// One command, if the engine's commands do not run freely; false: none is pending, or one is under way.
  bool grant_command();
  /// Goes to the next event, not beyond `limit`; false: nothing will happen any more (time is `limit`, if that is
  /// finite).
  bool advance(base::Cycle limit = base::kNever);
  /// Until nothing is left to do; a command may be left that waits for an invalidation completion. Contradiction with
  /// the engine's state when requests are stuck.
  void run_until_idle();
  /// Results since the last clear, in the order in which they left.
  std::vector<Finished>& finished() { return finished_; }
  /// Messages to devices since the last clear, in the order in which they left.
  std::vector<translate::DeviceMessage>& messages() { return messages_; }

 private:
  struct Due {
    base::Cycle at;
    std::uint64_t order;
    std::uint32_t tag;
    bool forward;
    FenceTicket ticket;
    translate::MemoryAnswer answer;
    bool operator<(const Due& other) const { return at != other.at ? at > other.at : order > other.order; }
  };
  void settle();
  void push(Due due);

  Engine& engine_;
  translate::MemoryPort& memory_;
  PlainDriverParams params_;
  base::Random random_;
  base::Cycle now_ = 0;
  std::uint64_t order_ = 0;
  std::vector<Due> due_;  // a heap, earliest first
  std::vector<Finished> finished_;
  std::vector<translate::DeviceMessage> messages_;
};

}  // namespace iommusim::timing
