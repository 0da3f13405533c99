// SPDX-License-Identifier: Apache-2.0
// The IOMMU module in `mode: functional`: each DMA is translated at once by the functional engine and
// performed through b_transport of the memory sockets; the time of all that is annotated, not waited for. Commands take
// effect within the register write that submits them. For software bring-up and virtual platforms.
#pragma once

#include <algorithm>
#include <deque>

#include "stats/stats.h"
#include "timing/injector.h"
#include "timing/monitor.h"
#include "tlm/iommu_request.h"
#include "tlm/payload_pool.h"
#include "translate/functional.h"

namespace iommusim::bus {

struct FunctionalStats : stats::Group {
  using stats::Group::Group;
  Counter translated{*this, "translated", Unit::kCount, "pieces of up to 4 KiB translated, or passed through"};
  Counter faulted{*this, "faulted", Unit::kCount, "pieces answered with an error"};
  Counter accesses{*this, "accesses", Unit::kCount, "memory accesses of the IOMMU itself"};
};

/// How a piece's response is told to a TLM initiator.
::tlm::tlm_response_status status_of(translate::Response response);

class IommuFunctional final : translate::MemoryPort, translate::MessagePort {
 public:
  /// `holder` is told when direct accesses are to be taken back.
  IommuFunctional(translate::Registers& registers, const translate::FunctionalCacheParams& caches, InitiatorSocket& own,
                  InitiatorSocket& dma, translate::TranslationHolder& holder, stats::Group& parent);

  /// Translates and performs the whole payload; sets its response; adds the time to `delay`.
  void perform(Payload& payload, sc_core::sc_time& delay);
  /// The write and all that it starts; adds the time to `delay`.
  void write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value, sc_core::sc_time& delay);
  /// get_direct_mem_ptr for the page of the payload's address.
  bool direct(Payload& payload, ::tlm::tlm_dmi& direct);
  /// Brings the performance monitor to `now`: before each access to a register, and at next_overflow().
  void catch_up(base::Cycle now, sc_core::sc_time& delay);
  /// kNever, or when iohpmcycles overflows.
  base::Cycle next_overflow() const { return monitor_.next_overflow(); }
  // Messages. What the IOMMU itself does for them takes no time that anybody waits for.
  void page_request(const translate::PageRequest& request);
  bool invalidation_completion(const translate::InvalidationCompletion& message);
  void invalidation_time_out(std::uint32_t itag_vector);
  /// Messages to devices, oldest first, to be carried away.
  std::deque<translate::DeviceMessage>& messages() { return messages_; }
  void inject(timing::Injector* injector) { injector_ = injector; }
  std::uint64_t accesses() const { return stats_.accesses.value(); }

 private:
  translate::MemoryAnswer read(const translate::MemoryAsk& ask) override { return access(ask, false, false); }
  translate::MemoryStatus write(const translate::MemoryAsk& ask) override { return access(ask, true, false).status; }
  translate::MemoryAnswer compare_swap(const translate::MemoryAsk& ask) override { return access(ask, false, true); }
  void send(const translate::DeviceMessage& message) override { messages_.push_back(message); }
  /// The piece of `payload` goes to memory.
  translate::Response forward(const Payload& payload, std::uint32_t offset, std::uint32_t bytes,
                              const translate::Outcome& outcome);
  translate::MemoryAnswer access(const translate::MemoryAsk& ask, bool write, bool swap);
  translate::MemoryAnswer send_access(const translate::MemoryAsk& ask, bool write, bool swap);

  InitiatorSocket& own_;
  InitiatorSocket& dma_;
  FunctionalStats stats_;
  translate::FunctionalEngine engine_;
  timing::Monitor monitor_;
  std::deque<translate::DeviceMessage> messages_;
  sc_core::sc_time delay_;  // of the access under way
  timing::Injector* injector_ = nullptr;
  PayloadPool pool_{64};
  PooledPayload& piece_ = pool_.take();   // of the DMA under way
  PooledPayload& access_ = pool_.take();  // of the IOMMU itself
};

}  // namespace iommusim::bus
