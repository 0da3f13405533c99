// SPDX-License-Identifier: Apache-2.0
// The IOMMU's own way to memory: accesses leave one every `issue_cycles`, at most `outstanding` are in flight, and
// answers may come in any order. Tags say whom an answer is for.
#pragma once

#include <algorithm>
#include <vector>

#include "base/ring.h"
#include "base/time.h"
#include "timing/injector.h"
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
    if (injector_ == nullptr || !strike(waiting_.front(), now)) issued_.push(waiting_.front());
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
    if (changes_.empty() || !change({ready, tag, data})) answers_.push({ready, tag, data});
  }
  bool has_answer(base::Cycle now) const { return next_answer() <= now; }
  Answer take_answer(base::Cycle now) {
    --in_flight_;
    stats_.outstanding.leave(now);
    if (!held_.empty() && held_.front().ready <= now) {
      const Answer answer = held_.front();
      held_.erase(held_.begin());
      return answer;
    }
    const Answer answer = answers_.front();
    answers_.pop();
    return answer;
  }
  base::Cycle next_event() const {
    base::Cycle next = next_answer();
    if (!waiting_.empty() && in_flight_ < params_.outstanding && next_issue_ < next) next = next_issue_;
    return next;
  }
  std::uint32_t in_flight() const { return in_flight_; }
  std::size_t waiting() const { return waiting_.size(); }

  /// Asked at each access from now on; `clock` is that of the cycles.
  void inject(Injector* injector, const base::Clock& clock) {
    injector_ = injector;
    clock_ = clock;
  }

 private:
  MemoryPortParams params_;
  base::Ring<MemoryRequest> waiting_;
  base::Ring<MemoryRequest> issued_;  // for the shell to carry away
  base::Ring<Answer> answers_;
  MemoryPortStats& stats_;
  /// What an injection does to the answer of the access under way with that tag; there is one a tag.
  struct Change {
    std::uint32_t tag;
    base::Cycle delay;
    bool illegal_command;
  };

  base::Cycle next_answer() const {
    const base::Cycle next = answers_.empty() ? base::kNever : answers_.front().ready;
    return held_.empty() ? next : std::min(next, held_.front().ready);
  }
  void hold(const Answer& answer) {
    const auto later = [](const Answer& a, const Answer& b) { return a.ready < b.ready; };
    held_.insert(std::upper_bound(held_.begin(), held_.end(), answer, later), answer);
  }
  /// true: the access does not leave, an error answers it.
  bool strike(const MemoryRequest& request, base::Cycle now) {
    const bool is_write = request.is_write || request.is_compare_swap;
    const Injector::MemoryStrike strike = injector_->memory(request.ask, is_write, clock_.time_of(now));
    const base::Cycle delay = clock_.cycles_of_ns(strike.delay_ns);
    if (strike.status != translate::MemoryStatus::kOk) {
      ++stats_.injected;
      hold({now + std::max<base::Cycle>(delay, 1), request.tag, {strike.status, {}}});
      return true;
    }
    if (delay != 0 || strike.illegal_command) changes_.push_back({request.tag, delay, strike.illegal_command});
    return false;
  }
  /// true: the answer is held back.
  bool change(Answer answer) {
    const auto found =
        std::find_if(changes_.begin(), changes_.end(), [&](const Change& c) { return c.tag == answer.tag; });
    if (found == changes_.end()) return false;
    if (found->illegal_command) Injector::make_illegal(answer.data);
    answer.ready += found->delay;
    changes_.erase(found);
    hold(answer);
    return true;
  }

  base::Cycle next_issue_ = 0;
  std::uint32_t in_flight_ = 0;
  Injector* injector_ = nullptr;
  base::Clock clock_{1000};
  std::vector<Change> changes_;
  std::vector<Answer> held_;  // earliest first
};

}  // namespace iommusim::timing
