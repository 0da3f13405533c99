// SPDX-License-Identifier: Apache-2.0
// Flows that each go through a window, again and again, and take turns.
#include "base/error.h"
#include "base/random.h"
#include "devices/patterns.h"

namespace iommusim::devices {

namespace {

class Sequential final : public AccessPattern {
 public:
  Sequential(const SequentialParams& params, std::uint32_t read_percent, std::uint64_t seed)
      : params_(params),
        read_percent_(read_percent),
        stride_(params.stride_bytes == 0 ? params.request_bytes : params.stride_bytes),
        random_(seed),
        flows_(params.flows) {
    if (params.request_bytes > params.window_bytes)
      throw base::InputError("request_bytes is " + std::to_string(params.request_bytes) +
                             ", expected at most window_bytes, " + std::to_string(params.window_bytes));
    for (std::uint32_t flow = 0; flow < params.flows; ++flow) {
      if (params.own_spaces)
        streams_.push_back({flow, 0, params.window_bytes});
      else
        streams_.push_back({0, flow * stream_step(params.window_bytes), params.window_bytes});
    }
  }

  Access next() override {
    Access access;
    access.stream = flow_;
    Flow& flow = flows_[flow_];
    access.offset = flow.offset;
    access.bytes = params_.request_bytes;
    access.write = !random_.chance(read_percent_, 100);
    flow.offset += stride_;
    if (flow.offset > params_.window_bytes - params_.request_bytes) begin_pass(flow);
    if (++in_burst_ == params_.burst) {
      in_burst_ = 0;
      flow_ = flow_ + 1 == params_.flows ? 0 : flow_ + 1;
    }
    return access;
  }

 private:
  struct Flow {
    std::uint64_t offset = 0;
    std::uint64_t first = 0;  ///< offset of this pass's first access
  };

  void begin_pass(Flow& flow) const {
    if (params_.shift) {
      flow.first += params_.request_bytes;
      if (flow.first >= stride_ || flow.first > params_.window_bytes - params_.request_bytes) flow.first = 0;
    }
    flow.offset = flow.first;
  }

  SequentialParams params_;
  std::uint32_t read_percent_;
  std::uint64_t stride_;
  base::Random random_;
  std::vector<Flow> flows_;
  std::uint32_t flow_ = 0;
  std::uint32_t in_burst_ = 0;
};

}  // namespace

std::unique_ptr<AccessPattern> make_sequential(const SequentialParams& params, std::uint32_t read_percent,
                                               std::uint64_t seed) {
  return std::make_unique<Sequential>(params, read_percent, seed);
}

}  // namespace iommusim::devices
