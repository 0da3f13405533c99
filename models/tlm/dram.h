// SPDX-License-Identifier: Apache-2.0
// When the cells of memory have done an access: after a constant time, a drawn time, or what banks with open rows,
// a data bus a channel, and refresh make of it. Time only; the bytes are in the store.
// Model: each bank and each channel's data bus serve accesses in the order in which they are told; a controller that
// takes row hits first is not modelled. An access is cut into bursts, which may lie in several channels; it is done
// with its last. Times are absolute and need not be told in order.
#pragma once

#include <vector>

#include "base/random.h"
#include "params/describe.h"
#include "stats/stats.h"
#include "tlm/rate.h"

namespace iommusim::bus {

enum class DramKind : std::uint8_t { kConstant, kDistributed, kBanked };
inline constexpr base::Choice<DramKind> kDramKinds[] = {
    {"constant", "latency_ns, whatever the access", DramKind::kConstant},
    {"distributed", "latency_ns and a random time (spread_ns, tail_ns), drawn with the timing seed",
     DramKind::kDistributed},
    {"banked", "latency_ns and the time of channels, banks, rows and refresh", DramKind::kBanked},
};

enum class RowPolicy : std::uint8_t { kOpen, kClosed };
inline constexpr base::Choice<RowPolicy> kRowPolicies[] = {
    {"open", "a row stays open until another row of its bank is wanted, or a refresh", RowPolicy::kOpen},
    {"closed", "a row is closed after each burst", RowPolicy::kClosed},
};

/// The defaults of the banked kind are those of DDR4-3200 (22-22-22), 64 bits a channel.
struct DramParams {
  DramKind kind = DramKind::kConstant;
  std::uint64_t latency_ns = 0;
  std::uint64_t spread_ns = 0;
  std::uint64_t tail_ns = 0;
  std::uint32_t tail_percent = 0;
  std::uint32_t channels = 2;
  std::uint32_t banks = 16;
  std::uint64_t row_bytes = 8192;
  std::uint64_t interleave_bytes = 256;
  std::uint32_t burst_bytes = 64;
  RowPolicy rows = RowPolicy::kOpen;
  std::uint64_t activate_ps = 13'750;
  std::uint64_t column_ps = 13'750;
  std::uint64_t precharge_ps = 13'750;
  std::uint64_t row_open_ps = 32'000;
  std::uint64_t channel_bytes_per_s = 25'600'000'000;
  std::uint64_t refresh_interval_ns = 7'800;
  std::uint64_t refresh_ns = 350;

  template <class V>
  static constexpr void describe(V&& v) {
    using base::Unit;
    using params::Range;
    using P = DramParams;
    v("kind", &P::kind, kDramKinds, "how long the cells take");
    v("latency_ns", &P::latency_ns, Unit::kNs, Range{0, 1'000'000}, "added to each access, of every kind");
    v("spread_ns", &P::spread_ns, Unit::kNs, Range{0, 1'000'000}, "distributed: a time from 0 to this, uniform");
    v("tail_ns", &P::tail_ns, Unit::kNs, Range{0, 1'000'000}, "distributed: more, for some accesses");
    v("tail_percent", &P::tail_percent, Unit::kPercent, Range{0, 100}, "distributed: how many take tail_ns more");
    v("channels", &P::channels, Unit::kCount, Range{1, 64}, "banked: channels, each with a data bus");
    v("banks", &P::banks, Unit::kCount, Range{1, 1024}, "banked: banks of a channel");
    v("row_bytes", &P::row_bytes, Unit::kBytes, Range{64, 1 << 20}, "banked: a row, a power of two");
    v("interleave_bytes", &P::interleave_bytes, Unit::kBytes, Range{64, 1 << 20},
      "banked: consecutive bytes of one channel, a power of two");
    v("burst_bytes", &P::burst_bytes, Unit::kBytes, Range{16, 256}, "banked: one column access, a power of two");
    v("rows", &P::rows, kRowPolicies, "banked: when a row is closed");
    v("activate_ps", &P::activate_ps, Unit::kPs, Range{0, 1'000'000}, "banked: opening a row (tRCD)");
    v("column_ps", &P::column_ps, Unit::kPs, Range{0, 1'000'000}, "banked: column access to its first data (CL)");
    v("precharge_ps", &P::precharge_ps, Unit::kPs, Range{0, 1'000'000}, "banked: closing a row (tRP)");
    v("row_open_ps", &P::row_open_ps, Unit::kPs, Range{0, 1'000'000}, "banked: a row stays open at least (tRAS)");
    v("channel_bytes_per_s", &P::channel_bytes_per_s, Unit::kBytesPerSecond, Range{0, Rate::kMaxBytesPerSecond},
      "banked: data bus of a channel; 0 is no limit");
    v("refresh_interval_ns", &P::refresh_interval_ns, Unit::kNs, Range{0, 1'000'000'000},
      "banked: between two refreshes, which close all rows (tREFI); 0: none");
    v("refresh_ns", &P::refresh_ns, Unit::kNs, Range{0, 1'000'000},
      "banked: how long a refresh keeps all banks (tRFC)");
  }
};

struct DramStats : stats::Group {
  using stats::Group::Group;
  Counter accesses{*this, "accesses", Unit::kCount, "accesses that reached the cells"};
  Counter bursts{*this, "bursts", Unit::kCount, "column accesses of banks"};
  Counter row_hits{*this, "row_hits", Unit::kCount, "bursts that found their row open"};
  Counter row_misses{*this, "row_misses", Unit::kCount, "bursts that found no row open"};
  Counter row_conflicts{*this, "row_conflicts", Unit::kCount, "bursts that found another row open"};
  Counter refresh_waits{*this, "refresh_waits", Unit::kCount, "bursts that waited for a refresh"};
  Histogram latency_ps{*this, "latency_ps", Unit::kPs, "time of an access in the cells"};
  Identity rows{*this, "bursts = row hits + row misses + row conflicts", [this] { return bursts.value(); },
                [this] { return row_hits.value() + row_misses.value() + row_conflicts.value(); }};
};

class Dram {
 public:
  using Picoseconds = base::Picoseconds;

  /// InputError for a geometry that cannot be.
  Dram(const DramParams& params, std::uint64_t seed, stats::Group& parent);

  /// True if an access never takes time here.
  bool instant() const { return params_.kind == DramKind::kConstant && params_.latency_ns == 0; }
  /// When an access that comes at `at` is done.
  Picoseconds access(std::uint64_t address, std::uint32_t bytes, Picoseconds at);

  const DramStats& statistics() const { return stats_; }

 private:
  static constexpr std::uint64_t kNoRow = ~0ULL;
  struct Bank {
    Picoseconds free = 0;       ///< the next command may start
    Picoseconds activated = 0;  ///< of the open row
    std::uint64_t row = kNoRow;
    std::uint64_t refreshes = 0;  ///< that it has seen
  };
  struct ChannelState {
    Moment bus_free{};
    std::vector<Bank> banks;
  };

  Picoseconds burst(std::uint64_t address, std::uint32_t bytes, Picoseconds at);
  Picoseconds after_refresh(Bank& bank, Picoseconds at);

  DramParams params_;
  Rate rate_;
  base::Random random_;
  std::vector<ChannelState> channels_;
  DramStats stats_;
};

}  // namespace iommusim::bus
