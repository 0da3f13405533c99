// SPDX-License-Identifier: Apache-2.0
#include "devices/uniform.h"

#include "base/error.h"
#include "base/random.h"

namespace iommusim::devices {

namespace {

class UniformPattern final : public AccessPattern {
 public:
  UniformPattern(const UniformParams& params, std::uint64_t seed) : params_(params), random_(seed) {
    if (params.request_bytes > params.window_bytes)
      throw base::InputError("request_bytes is " + std::to_string(params.request_bytes) +
                             ", expected at most window_bytes, " + std::to_string(params.window_bytes));
    places_ = (params.window_bytes - params.request_bytes) / params.alignment + 1;
    for (std::uint32_t flow = 0; flow < params.flows; ++flow)
      streams_.push_back({0, flow * params.stride(), params.window_bytes});
  }

  Access next() override {
    Access access;
    access.stream = static_cast<std::uint32_t>(count_ % params_.flows);
    const bool sequential = params_.order == Order::kSequential;
    access.offset = (sequential ? count_ / params_.flows % places_ : random_.below(places_)) * params_.alignment;
    access.write = !random_.chance(params_.read_percent, 100);
    access.bytes = params_.request_bytes;
    access.after_all = access.intervals_begin = params_.lead_in != 0 && count_ != 0 && count_ <= params_.lead_in;
    ++count_;
    return access;
  }

 private:
  UniformParams params_;
  base::Random random_;
  std::uint64_t places_ = 0;
  std::uint64_t count_ = 0;
};

}  // namespace

std::unique_ptr<AccessPattern> make_uniform(const UniformParams& params, std::uint64_t seed) {
  return std::make_unique<UniformPattern>(params, seed);
}

TrafficParams traffic_of(const UniformParams& params) {
  TrafficParams traffic;
  traffic.bdf = params.bdf;
  traffic.count = params.count;
  traffic.read_percent = params.read_percent;
  traffic.interval_ns = params.interval_ns;
  traffic.interval_ps = params.interval_ps;
  traffic.outstanding = params.outstanding;
  traffic.split_bytes = params.split_bytes;
  return traffic;
}

}  // namespace iommusim::devices
