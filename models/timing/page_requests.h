// SPDX-License-Identifier: Apache-2.0
// When page requests move: one at a time and in order. The device context is located in the pipeline, by a slot of its
// own; then the record goes to the queue in memory over the IOMMU's memory port, or an answer leaves for the device.
#pragma once

#include "base/ring.h"
#include "base/time.h"
#include "timing/params.h"
#include "translate/page_request.h"

namespace iommusim::timing {

class Engine;

class PageRequests {
 public:
  PageRequests(Engine& engine, const QueueEngineParams& params)
      : engine_(engine), params_(params), waiting_(params.page_request_depth) {}

  bool full() const { return waiting_.full(); }
  void arrive(const translate::PageRequest& request) { waiting_.push(request); }
  /// The pipeline is done with the location of the oldest one's device context.
  void located(const translate::Translation& location);
  void answer(const translate::MemoryAnswer& data);
  bool step(base::Cycle now);
  base::Cycle next_event() const { return state_ == State::kStarting ? ready_ : base::kNever; }
  bool idle() const { return state_ == State::kIdle && waiting_.empty(); }
  std::size_t waiting() const { return waiting_.size(); }

 private:
  enum class State : std::uint8_t { kIdle, kStarting, kSlotWait, kLocating, kMemory, kAnswering };
  void go_on();
  void end();

  Engine& engine_;
  QueueEngineParams params_;
  base::Ring<translate::PageRequest> waiting_;
  translate::PageRequestHandling handling_{};
  base::Cycle ready_ = 0;
  State state_ = State::kIdle;
  bool asked_stall_ = false;  ///< an injection was asked about the request that is next
};

}  // namespace iommusim::timing
