// SPDX-License-Identifier: Apache-2.0
// Reads and writes of one size at uniformly random or sequential addresses of a window; of several flows in turn, each
// in a window of its own. The shortest pattern, and a generator of it.
#pragma once

#include <memory>
#include <string>

#include "base/bits.h"
#include "devices/generator.h"
#include "params/describe.h"

namespace iommusim::devices {

enum class Order : std::uint8_t { kRandom, kSequential };
inline constexpr base::Choice<Order> kOrders[] = {
    {"random", "each place of the window is as likely as any other", Order::kRandom},
    {"sequential", "one place after the other, and again from the first", Order::kSequential},
};

struct UniformParams {
  std::string bdf = "00:01.0";
  std::uint64_t window_bytes = 1024 * 1024;
  std::uint32_t request_bytes = 64;
  std::uint32_t alignment = 64;
  std::uint64_t count = 100'000;
  std::uint32_t read_percent = 50;
  Order order = Order::kRandom;
  std::uint32_t flows = 1;
  std::uint64_t flow_stride_bytes = 0;
  std::uint64_t interval_ns = 0;
  std::uint64_t interval_ps = 0;
  std::uint64_t lead_in = 0;
  std::uint32_t outstanding = 32;
  std::uint32_t split_bytes = 4096;

  template <class V>
  static constexpr void describe(V&& v) {
    using base::Unit;
    using params::Range;
    using P = UniformParams;
    v("bdf", &P::bdf, "PCI address of the device, bb:dd.f");
    v("window_bytes", &P::window_bytes, Unit::kBytes, Range{1, 1ULL << 56}, "addresses are drawn from this range");
    v("request_bytes", &P::request_bytes, Unit::kBytes, Range{1, 16 * 1024 * 1024}, "length of each DMA");
    v("alignment", &P::alignment, Unit::kBytes, Range{1, 1 << 30}, "offsets are multiples of this");
    v("count", &P::count, Unit::kCount, Range{1, ~0ULL}, "DMAs in all");
    v("read_percent", &P::read_percent, Unit::kPercent, Range{0, 100}, "share of reads, the rest are writes");
    v("order", &P::order, kOrders, "how the places of a window follow one another");
    v("flows", &P::flows, Unit::kCount, Range{1, 65536}, "windows of this size that take turns, DMA by DMA");
    v("flow_stride_bytes", &P::flow_stride_bytes, Unit::kBytes, Range{0, 1ULL << 48},
      "from the window of one flow to that of the next, a multiple of 4 KiB; 0: window_bytes, rounded up");
    v("interval_ns", &P::interval_ns, Unit::kNs, Range{0, 1'000'000'000}, "from one DMA to the next; 0 is at once");
    v("interval_ps", &P::interval_ps, Unit::kPs, Range{0, 1'000'000'000'000}, "to be added to interval_ns");
    v("lead_in", &P::lead_in, Unit::kCount, Range{0, ~0ULL},
      "DMAs of count that come first, each after the answer to the one before; the intervals begin after them");
    v("outstanding", &P::outstanding, Unit::kCount, Range{1, 65536}, "transactions in flight");
    v("split_bytes", &P::split_bytes, Unit::kBytes, Range{64, 4096}, "longest transaction on the bus, a power of two");
  }

  std::uint64_t stride() const {
    return flow_stride_bytes != 0 ? flow_stride_bytes : base::align_up(window_bytes, base::kPageSize);
  }
  /// From the first byte of the first window to the last of the last.
  std::uint64_t span_bytes() const { return (flows - 1) * stride() + window_bytes; }
};

/// Throws base::InputError for parameters that contradict each other.
std::unique_ptr<AccessPattern> make_uniform(const UniformParams& params, std::uint64_t seed);
/// What a generator needs to know beside the pattern.
TrafficParams traffic_of(const UniformParams& params);

class Uniform final : public Generator {
 public:
  Uniform(const sc_core::sc_module_name& name, const UniformParams& params, std::uint64_t seed, stats::Group& parent)
      : Generator(name, traffic_of(params), make_uniform(params, seed), parent) {}
};

}  // namespace iommusim::devices
