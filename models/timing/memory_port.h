// SPDX-License-Identifier: Apache-2.0
// The IOMMU's own way to memory: accesses leave one every `issue_cycles`, at most `outstanding` are in flight, and
// answers may come in any order. Tags say whom an answer is for.
#pragma once

#include "base/ring.h"
#include "base/time.h"
#include "timing/params.h"
#include "timing/stats.h"

namespace iommusim::timing {

struct MemoryRequest {
  std::uint32_t tag = 0;
  bool is_write = false;
  bool is_compare_swap = false;
  translate::MemoryAsk ask{};
};

class MemoryPort {
 public:
  MemoryPort(const MemoryPortParams& params, std::size_t capacity, MemoryPortStats& stats)
      : params_(params), waiting_(capacity), issued_(params.outstanding), answers_(params.outstanding), stats_(stats) {
    stats_.outstanding.set_limit(params.outstanding);
  }

  void request(std::uint32_t tag, const translate::Ask& ask) {
    waiting_.push(
        {tag, ask.kind == translate::AskKind::kWrite, ask.kind == translate::AskKind::kCompareSwap, ask.memory});
  }
  /// Moves one waiting access out if time and limit allow; false: nothing moved.
  bool issue(base::Cycle now) {
    if (waiting_.empty() || now < next_issue_ || in_flight_ == params_.outstanding) return false;
    stats_.count(waiting_.front().ask);
    stats_.outstanding.enter(now);
    issued_.push(waiting_.front());
    waiting_.pop();
    ++in_flight_;
    next_issue_ = now + params_.issue_cycles;
    return true;
  }
  base::Ring<MemoryRequest>& issued() { return issued_; }

  struct Answer {
    base::Cycle ready = 0;
    std::uint32_t tag = 0;
    translate::MemoryAnswer data{};
  };
  /// `ready` never goes back from call to call.
  void answer(std::uint32_t tag, const translate::MemoryAnswer& data, base::Cycle ready) {
    answers_.push({ready, tag, data});
  }
  bool has_answer(base::Cycle now) const { return !answers_.empty() && answers_.front().ready <= now; }
  Answer take_answer(base::Cycle now) {
    const Answer answer = answers_.front();
    answers_.pop();
    --in_flight_;
    stats_.outstanding.leave(now);
    return answer;
  }
  base::Cycle next_event() const {
    base::Cycle next = answers_.empty() ? base::kNever : answers_.front().ready;
    if (!waiting_.empty() && in_flight_ < params_.outstanding && next_issue_ < next) next = next_issue_;
    return next;
  }
  std::uint32_t in_flight() const { return in_flight_; }
  std::size_t waiting() const { return waiting_.size(); }

 private:
  MemoryPortParams params_;
  base::Ring<MemoryRequest> waiting_;
  base::Ring<MemoryRequest> issued_;  // for the shell to carry away
  base::Ring<Answer> answers_;
  MemoryPortStats& stats_;
  base::Cycle next_issue_ = 0;
  std::uint32_t in_flight_ = 0;
};

}  // namespace iommusim::timing
