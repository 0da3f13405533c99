// SPDX-License-Identifier: Apache-2.0
#include "devices/generator.h"

#include <algorithm>

#include "traces/event.h"

namespace iommusim::devices {

Generator::Generator(const sc_core::sc_module_name& name, const TrafficParams& params,
                     std::unique_ptr<AccessPattern> pattern, stats::Group& parent)
    : TimedModule(name),
      params_(params),
      first_device_(traces::parse_source(params.bdf).key()),
      pattern_(std::move(pattern)),
      stats_(parent, basename()),
      master_("dma", DmaLimits{params.outstanding, params.split_bytes}, *this, stats_) {}

void Generator::start(std::uint64_t base, std::function<void()> done) {
  base::ensure(started_ == base::kNever, "a generator was started twice");
  base_ = base;
  done_ = std::move(done);
  started_ = bus::now_ps();
  draw();
  wake_at(started_);
}

void Generator::draw() {
  const Access access = pattern_->next();
  const Stream& stream = pattern_->streams()[access.stream];
  next_.iova = base_ + stream.offset + access.offset;
  next_.write = access.write;
  next_.bytes = access.bytes;
  next_.device = device(stream.space);
  next_.process_valid = process_.has_value();
  if (process_) next_.process = *process_;
  next_.cookie = begun_ + 1;
  after_all_ = access.after_all;
  intervals_begin_ = access.intervals_begin;
  think_ns_ = access.think_ns;
}

base::Picoseconds Generator::work(base::Picoseconds) {
  pump();
  return base::kNever;
}

void Generator::pump() {
  while (begun_ < params_.count) {
    if (after_all_) {
      if (ended_ != begun_) return;  // the last answer comes back here
      after_all_ = false;
      not_before_ = bus::now_ps() + think_ns_ * 1000;
      if (intervals_begin_) started_ = not_before_, first_of_intervals_ = begun_;
    }
    const base::Picoseconds due = std::max(
        not_before_, started_ + (begun_ - first_of_intervals_) * (params_.interval_ns * 1000 + params_.interval_ps));
    if (due > bus::now_ps()) return wake_at(due);
    if (!master_.try_issue(next_)) return;
    ++begun_;
    draw();
  }
}

void Generator::produce(const DmaRequest& request, std::uint64_t offset, std::uint8_t* data, std::uint32_t bytes) {
  fill_pattern(pattern_key(request.device.value, 0), request.iova + offset, data, bytes);
}

void Generator::completed(const DmaRequest& request, translate::Response response) {
  digest_.add_response(request.cookie, response);
  if (++ended_ == params_.count) return done_();
  pump();
}

}  // namespace iommusim::devices
