// SPDX-License-Identifier: Apache-2.0
#include "devices/uniform.h"

#include "traces/event.h"

namespace iommusim::devices {

Uniform::Uniform(const sc_core::sc_module_name& name, const UniformParams& params, std::uint64_t seed,
                 stats::Group& parent)
    : TimedModule(name),
      params_(params),
      device_(traces::parse_source(params.bdf).key()),
      random_(seed),
      stats_(parent, basename()),
      master_("dma", DmaLimits{params.outstanding, params.split_bytes}, *this, stats_) {
  if (params.request_bytes > params.window_bytes)
    throw base::InputError("request_bytes is " + std::to_string(params.request_bytes) +
                           ", expected at most window_bytes, " + std::to_string(params.window_bytes));
}

void Uniform::start(std::uint64_t base, std::function<void()> done) {
  base::ensure(started_ == base::kNever, "a generator was started twice");
  base_ = base;
  done_ = std::move(done);
  started_ = bus::now_ps();
  draw();
  wake_at(started_);
}

void Uniform::draw() {
  const std::uint64_t places = (params_.window_bytes - params_.request_bytes) / params_.alignment + 1;
  const std::uint64_t window = base_ + begun_ % params_.flows * params_.stride();
  const std::uint64_t place =
      params_.order == Order::kSequential ? begun_ / params_.flows % places : random_.below(places);
  next_.iova = window + place * params_.alignment;
  next_.write = !random_.chance(params_.read_percent, 100);
  next_.bytes = params_.request_bytes;
  next_.device = device_;
  next_.process_valid = process_.has_value();
  if (process_) next_.process = *process_;
  next_.cookie = begun_ + 1;
}

base::Picoseconds Uniform::work(base::Picoseconds) {
  pump();
  return base::kNever;
}

void Uniform::pump() {
  while (begun_ < params_.count) {
    const base::Picoseconds due = started_ + begun_ * (params_.interval_ns * 1000 + params_.interval_ps);
    if (due > bus::now_ps()) return wake_at(due);
    if (!master_.try_issue(next_)) return;
    ++begun_;
    draw();
  }
}

void Uniform::produce(const DmaRequest& request, std::uint64_t offset, std::uint8_t* data, std::uint32_t bytes) {
  fill_pattern(pattern_key(device_.value, 0), request.iova + offset, data, bytes);
}

void Uniform::completed(const DmaRequest& request, translate::Response response) {
  digest_.add_response(request.cookie, response);
  if (++ended_ == params_.count) return done_();
  pump();
}

}  // namespace iommusim::devices
