// SPDX-License-Identifier: Apache-2.0
#include "tlm/output_order.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "tlm/payload_pool.h"

namespace iommusim::bus {
namespace {

constexpr std::uint32_t kPieces = 64;

struct OutputBench {
  explicit OutputBench(DmaOrder kind) : order(kind, kPieces) {}
  void begin(std::uint32_t piece, bool write, std::uint32_t device = 0, std::uint32_t port = 0, bool relaxed = false) {
    PooledPayload& payload = pool.take();
    set_access(payload, write, 0, nullptr, 8);
    payload.dma.device = base::DeviceId(device);
    payload.dma.requester_port = port;
    payload.dma.relaxed_ordering = relaxed;
    order.begin(piece, payload, 0);
    payload.release();
  }
  std::vector<std::uint32_t> left() {
    std::vector<std::uint32_t> numbers;
    for (; !out.empty(); out.pop()) numbers.push_back(out.front());
    return numbers;
  }
  OutputOrder order;
  PayloadPool pool;
  base::Ring<std::uint32_t> out{kPieces};
};
using Left = std::vector<std::uint32_t>;

TEST(OutputOrder, NothingPassesAWriteAndReadsHoldNobodyBack) {
  OutputBench bench(DmaOrder::kFunction);
  bench.begin(0, false);
  bench.begin(1, true);
  bench.begin(2, false);
  bench.begin(3, true);
  bench.order.translated(3, bench.out);
  bench.order.translated(2, bench.out);
  EXPECT_EQ(bench.left(), Left{});
  bench.order.translated(1, bench.out);  // passes the read before it
  EXPECT_EQ(bench.left(), (Left{1, 2, 3}));
  bench.order.translated(0, bench.out);
  EXPECT_EQ(bench.left(), Left{0});
  EXPECT_EQ(bench.order.held(), 2U);
}

TEST(OutputOrder, AFaultHoldsNobodyBack) {
  OutputBench bench(DmaOrder::kFunction);
  for (std::uint32_t piece = 0; piece < 3; ++piece) bench.begin(piece, true);
  bench.order.dropped(1, bench.out);
  bench.order.translated(2, bench.out);
  EXPECT_EQ(bench.left(), Left{});
  bench.order.dropped(0, bench.out);
  EXPECT_EQ(bench.left(), Left{2});
}

TEST(OutputOrder, DmaOrderSaysWhoseRequestsAreAStream) {
  for (const DmaOrder kind : {DmaOrder::kPort, DmaOrder::kFunction}) {
    OutputBench bench(kind);
    bench.begin(0, true, 1, 7);
    bench.begin(1, true, 2, 7);
    bench.begin(2, true, 1, 8);
    bench.order.translated(1, bench.out);
    bench.order.translated(2, bench.out);
    EXPECT_EQ(bench.left(), kind == DmaOrder::kPort ? Left{2} : Left{1});
    bench.order.translated(0, bench.out);
    EXPECT_EQ(bench.left(), kind == DmaOrder::kPort ? (Left{0, 1}) : (Left{0, 2}));
  }
}

TEST(OutputOrder, ARelaxedWritePassesAndIsNotPassed) {
  OutputBench bench(DmaOrder::kFunction);
  bench.begin(0, true);
  bench.begin(1, true, 0, 0, true);
  bench.begin(2, true, 0, 0, true);
  bench.begin(3, true);
  bench.order.translated(1, bench.out);
  EXPECT_EQ(bench.left(), Left{1});
  bench.order.translated(3, bench.out);
  bench.order.translated(0, bench.out);
  EXPECT_EQ(bench.left(), Left{0});
  bench.order.translated(2, bench.out);
  EXPECT_EQ(bench.left(), (Left{2, 3}));
}

TEST(OutputOrder, AnyOrderOfTranslationsLeavesInOrder) {
  base::Random random(5);
  for (int round = 0; round < 200; ++round) {
    OutputBench bench(DmaOrder::kFunction);
    std::vector<std::uint32_t> inside;
    std::vector<bool> is_write(kPieces);
    std::vector<int> left_at(kPieces, -1);
    int time = 0;
    for (std::uint32_t begun = 0; begun < kPieces || !inside.empty();) {
      if (begun < kPieces && (inside.empty() || random.below(2) == 0)) {
        is_write[begun] = random.below(2) == 0;
        bench.begin(begun, is_write[begun], begun % 3);
        inside.push_back(begun++);
        continue;
      }
      const auto pick = static_cast<std::size_t>(random.below(inside.size()));
      if (random.below(8) == 0) {
        bench.order.dropped(inside[pick], bench.out);
        left_at[inside[pick]] = -2;
      } else {
        bench.order.translated(inside[pick], bench.out);
      }
      inside.erase(inside.begin() + static_cast<std::ptrdiff_t>(pick));
      for (const std::uint32_t piece : bench.left()) left_at[piece] = time++;
    }
    for (std::uint32_t later = 0; later < kPieces; ++later) {
      EXPECT_NE(left_at[later], -1) << "held for ever";
      for (std::uint32_t write = later % 3; write < later; write += 3)
        if (is_write[write] && left_at[write] >= 0 && left_at[later] >= 0) {
          EXPECT_LT(left_at[write], left_at[later]);
        }
    }
  }
}

}  // namespace
}  // namespace iommusim::bus
