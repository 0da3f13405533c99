// SPDX-License-Identifier: Apache-2.0
// Bursts of wavefronts: each wavefront makes one access for all its threads, or one for each. A burst begins when the
// one before was answered and the threads have computed for a while.
#include "base/error.h"
#include "base/random.h"
#include "devices/patterns.h"

namespace iommusim::devices {

namespace {

class Gpu final : public AccessPattern {
 public:
  Gpu(const GpuParams& params, std::uint32_t read_percent, std::uint64_t seed)
      : params_(params), read_percent_(read_percent), random_(seed), line_bytes_(params.lanes * params.lane_bytes) {
    const std::uint64_t block = params.scatter_bytes == 0 ? params.window_bytes : params.scatter_bytes;
    if (line_bytes_ > params.window_bytes)
      throw base::InputError("lanes x lane_bytes is " + std::to_string(line_bytes_) +
                             ", expected at most window_bytes, " + std::to_string(params.window_bytes));
    if (block > params.window_bytes || params.sector_bytes > block)
      throw base::InputError("scatter_bytes is " + std::to_string(block) + ", expected sector_bytes to window_bytes");
    blocks_ = params.window_bytes / block;
    sectors_ = block / params.sector_bytes;
    streams_.push_back({0, 0, params.window_bytes});
  }

  Access next() override {
    Access access;
    if (lanes_left_ == 0) {
      if (wavefronts_left_ == 0) {
        access.after_all = true;
        access.think_ns = first_ ? 0 : params_.think_ns;
        first_ = false;
        wavefronts_left_ = params_.wavefronts;
      }
      begin_wavefront();
    }
    access.write = write_;
    if (coalesced_) {
      access.offset = random_.below(params_.window_bytes / line_bytes_) * line_bytes_;
      access.bytes = line_bytes_;
    } else {
      access.offset = block_ + random_.below(sectors_) * params_.sector_bytes;
      access.bytes = params_.sector_bytes;
    }
    --lanes_left_;
    return access;
  }

 private:
  void begin_wavefront() {
    --wavefronts_left_;
    coalesced_ = random_.chance(params_.coalesced_percent, 100);
    write_ = !random_.chance(read_percent_, 100);
    lanes_left_ = coalesced_ ? 1 : params_.lanes;
    block_ = random_.below(blocks_) * (sectors_ * params_.sector_bytes);
  }

  GpuParams params_;
  std::uint32_t read_percent_;
  base::Random random_;
  std::uint32_t line_bytes_;
  std::uint64_t blocks_ = 1, sectors_ = 1;  ///< of the window, of a block
  std::uint32_t wavefronts_left_ = 0;       ///< of this burst
  std::uint32_t lanes_left_ = 0;            ///< accesses of this wavefront
  std::uint64_t block_ = 0;                 ///< where its lanes scatter
  bool coalesced_ = false, write_ = false, first_ = true;
};

}  // namespace

std::unique_ptr<AccessPattern> make_gpu(const GpuParams& params, std::uint32_t read_percent, std::uint64_t seed) {
  return std::make_unique<Gpu>(params, read_percent, seed);
}

}  // namespace iommusim::devices
