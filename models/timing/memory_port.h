// SPDX-License-Identifier: Apache-2.0
// The IOMMU's own way to memory: accesses leave one every `issue_cycles`, at most `outstanding` are in flight, and
// answers may come in any order. Tags say whom an answer is for; a tag has one access at a time. With `beat_bytes` data
// moves in beats, one a cycle in each direction: a write leaves with its last beat, an answer is there with its last.
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

/// Beats in which the data of an access moves.
inline std::uint32_t data_beats(const MemoryPortParams& params, const translate::MemoryAsk& ask) {
  if (params.beat_bytes == 0) return 1;
  if (params.device_context_beats != 0 && ask.structure == translate::Structure::kDdt && ask.level == 0)
    return params.device_context_beats;
  return (ask.bytes + params.beat_bytes - 1) / params.beat_bytes;
}

class MemoryPort {
 public:
  static constexpr std::uint32_t kFirstQueueTag = 0xffff0000U;
  static constexpr std::uint32_t kQueueTags = 4;

  /// Tags are numbers below `slots`, and kQueueTags from kFirstQueueTag on.
  MemoryPort(const MemoryPortParams& params, std::size_t slots, MemoryPortStats& stats)
      : params_(params),
        waiting_(slots + kQueueTags),
        issued_(params.outstanding),
        answers_(params.outstanding),
        expected_(slots + kQueueTags),
        stats_(stats) {
    stats_.outstanding.set_limit(params.outstanding);
  }

  void request(std::uint32_t tag, const translate::Ask& ask) {
    waiting_.push(
        {tag, ask.kind == translate::AskKind::kWrite, ask.kind == translate::AskKind::kCompareSwap, ask.memory});
  }
  void read(std::uint32_t tag, const translate::MemoryAsk& ask) { waiting_.push({tag, false, false, ask}); }
  /// Moves one waiting access out if time and limit allow; false: nothing moved.
  bool issue(base::Cycle now) {
    if (waiting_.empty() || now < next_issue_ || in_flight_ == params_.outstanding) return false;
    const MemoryRequest& request = waiting_.front();
    const std::uint32_t beats = data_beats(params_, request.ask);
    if (request.is_write && beats > 1 && !sends_data_) {
      sends_data_ = true;
      next_issue_ = now + beats - 1;
      return true;
    }
    sends_data_ = false;
    expected_[index_of(request.tag)] = {
        request.is_write ? 1 : beats, params_.msi_pte_early && request.ask.structure == translate::Structure::kMsiPte};
    stats_.count(request.ask);
    stats_.outstanding.enter(now);
    if (injector_ == nullptr || !strike(request, now)) issued_.push(request);
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
    std::uint32_t beats = 1;  ///< it took this many cycles to arrive
  };
  /// The first data is there at `first`, which never goes back from call to call. Model: the response to a write takes
  /// its turn among the beats.
  void answer(std::uint32_t tag, const translate::MemoryAnswer& data, base::Cycle first) {
    const Expected& expected = expected_[index_of(tag)];
    base::Cycle used = first;
    if (params_.beat_bytes != 0) {
      first = std::max(first, data_free_);
      data_free_ = first + expected.beats;
      used = expected.early ? first : data_free_ - 1;
    }
    const Answer answer{used + params_.answer_cycles, tag, data, expected.beats};
    if (changes_.empty() || !change(answer)) answers_.push(answer);
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
  std::size_t index_of(std::uint32_t tag) const {
    return tag < kFirstQueueTag ? tag : expected_.size() - kQueueTags + (tag - kFirstQueueTag);
  }

  MemoryPortParams params_;
  base::Ring<MemoryRequest> waiting_;
  base::Ring<MemoryRequest> issued_;  // for the shell to carry away
  base::Ring<Answer> answers_;
  struct Expected {
    std::uint32_t beats = 1;
    bool early = false;  // its first beat is enough
  };
  std::vector<Expected> expected_;  // the answer that a tag waits for
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
      hold({now + std::max<base::Cycle>(delay, 1), request.tag, {strike.status, {}}, 1});
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
  base::Cycle data_free_ = 0;  // the next beat of an answer can arrive
  std::uint32_t in_flight_ = 0;
  Injector* injector_ = nullptr;
  base::Clock clock_{1000};
  std::vector<Change> changes_;
  std::vector<Answer> held_;  // earliest first
  bool sends_data_ = false;   // the oldest waiting write
};

}  // namespace iommusim::timing
