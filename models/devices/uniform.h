// SPDX-License-Identifier: Apache-2.0
// A generator: reads and writes of one size at uniformly random or sequential addresses of a window, as fast as its
// limits allow or at a fixed interval; of several flows in turn, each in a window of its own. What is asked depends on
// the seed alone; what is written depends on the IOVA alone, so that the end state of the window does not depend on the
// order of writes.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/bits.h"
#include "base/random.h"
#include "devices/dma_master.h"
#include "devices/pattern.h"
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
    v("outstanding", &P::outstanding, Unit::kCount, Range{1, 65536}, "transactions in flight");
    v("split_bytes", &P::split_bytes, Unit::kBytes, Range{64, 4096}, "longest transaction on the bus, a power of two");
  }

  std::uint64_t stride() const {
    return flow_stride_bytes != 0 ? flow_stride_bytes : base::align_up(window_bytes, base::kPageSize);
  }
  /// From the first byte of the first window to the last of the last.
  std::uint64_t span_bytes() const { return (flows - 1) * stride() + window_bytes; }
};

class Uniform final : public bus::TimedModule, DmaClient {
 public:
  /// Throws base::InputError for parameters that contradict each other.
  Uniform(const sc_core::sc_module_name& name, const UniformParams& params, std::uint64_t seed, stats::Group& parent);

  bus::InitiatorSocket& socket() { return master_.socket(); }
  base::DeviceId device() const { return device_; }
  /// DMA carries this PASID. Before start().
  void use_process(base::ProcessId process) { process_ = process; }
  /// Begins, now, on the windows from `base` on. `done` is called when the last DMA was answered, from a process that
  /// must not wait. Once.
  void start(std::uint64_t base, std::function<void()> done);

  bool finished() const { return ended_ == params_.count; }
  const Digest& digest() const { return digest_; }  ///< DMAs numbered from 1
  const DmaMaster& master() const { return master_; }

 private:
  void completed(const DmaRequest& request, translate::Response response) override;
  void ready() override { pump(); }
  void produce(const DmaRequest& request, std::uint64_t offset, std::uint8_t* data, std::uint32_t bytes) override;
  base::Picoseconds work(base::Picoseconds now) override;
  void pump();
  void draw();

  UniformParams params_;
  base::DeviceId device_;
  std::optional<base::ProcessId> process_;
  base::Random random_;
  stats::Group stats_;  ///< holds the master's
  DmaMaster master_;
  std::function<void()> done_;
  DmaRequest next_{};  ///< drawn, not begun
  Digest digest_;
  std::uint64_t base_ = 0;
  std::uint64_t begun_ = 0;
  std::uint64_t ended_ = 0;
  base::Picoseconds started_ = base::kNever;
};

}  // namespace iommusim::devices
