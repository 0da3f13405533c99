// SPDX-License-Identifier: Apache-2.0
// The generators' parameters: what all kinds but `uniform` share, and each kind's own.
#pragma once

#include <string>
#include <vector>

#include "params/describe.h"

namespace iommusim::devices {

struct TrafficParams {
  std::string bdf = "00:01.0";
  std::uint64_t count = 100'000;
  std::uint32_t read_percent = 100;
  std::uint64_t interval_ns = 0;
  std::uint64_t interval_ps = 0;
  std::uint32_t outstanding = 32;
  std::uint32_t split_bytes = 4096;

  template <class V>
  static constexpr void describe(V&& v) {
    using base::Unit;
    using params::Range;
    using P = TrafficParams;
    v("bdf", &P::bdf, "PCI address, bb:dd.f; with several address spaces that of the first function");
    v("count", &P::count, Unit::kCount, Range{1, ~0ULL}, "DMAs in all");
    v("read_percent", &P::read_percent, Unit::kPercent, Range{0, 100}, "share of reads, the rest are writes");
    v("interval_ns", &P::interval_ns, Unit::kNs, Range{0, 1'000'000'000}, "from one DMA to the next; 0 is at once");
    v("interval_ps", &P::interval_ps, Unit::kPs, Range{0, 1'000'000'000'000}, "to be added to interval_ns");
    v("outstanding", &P::outstanding, Unit::kCount, Range{1, 65536}, "transactions in flight");
    v("split_bytes", &P::split_bytes, Unit::kBytes, Range{64, 4096}, "longest transaction on the bus, a power of two");
  }
};

/// Flows, each from the begin of its window to the end and again.
struct SequentialParams {
  std::uint32_t flows = 1;
  std::uint64_t window_bytes = 1024 * 1024;
  std::uint32_t request_bytes = 4096;
  std::uint64_t stride_bytes = 0;
  bool shift = false;
  std::uint32_t burst = 1;
  bool own_spaces = false;

  template <class V>
  static constexpr void describe(V&& v) {
    using base::Unit;
    using params::Range;
    using P = SequentialParams;
    v("flows", &P::flows, Unit::kCount, Range{1, 65536}, "streams, served in turn, each with a window of its own");
    v("window_bytes", &P::window_bytes, Unit::kBytes, Range{1, 1ULL << 56}, "window of each flow");
    v("request_bytes", &P::request_bytes, Unit::kBytes, Range{1, 16 * 1024 * 1024}, "length of each DMA");
    v("stride_bytes", &P::stride_bytes, Unit::kBytes, Range{0, 1ULL << 56},
      "from one DMA of a flow to its next; 0 is request_bytes");
    v("shift", &P::shift, "each pass of the window begins one request further than the one before");
    v("burst", &P::burst, Unit::kCount, Range{1, 1'000'000}, "DMAs of a flow before the turn of the next");
    v("own_spaces", &P::own_spaces, "each flow is a function with an address space of its own");
  }
};

enum class TileOrder : std::uint8_t { kRows, kColumns, kMorton, kRandom };
inline constexpr base::Choice<TileOrder> kTileOrders[] = {
    {"rows", "tile after tile along a row of tiles", TileOrder::kRows},
    {"columns", "tile after tile down a column of tiles", TileOrder::kColumns},
    {"morton", "along a Z-shaped curve", TileOrder::kMorton},
    {"random", "uniformly random tiles", TileOrder::kRandom},
};

/// Tiles of an image that lies in memory row by row.
struct TilesParams {
  std::uint32_t width_bytes = 7680;
  std::uint32_t rows = 1080;
  std::uint64_t pitch_bytes = 8192;
  std::uint32_t tile_bytes = 256;
  std::uint32_t tile_rows = 16;
  TileOrder order = TileOrder::kRows;

  template <class V>
  static constexpr void describe(V&& v) {
    using base::Unit;
    using params::Range;
    using P = TilesParams;
    v("width_bytes", &P::width_bytes, Unit::kBytes, Range{1, 1 << 24}, "of a row of the image");
    v("rows", &P::rows, Unit::kCount, Range{1, 1 << 20}, "of the image");
    v("pitch_bytes", &P::pitch_bytes, Unit::kBytes, Range{1, 1ULL << 32}, "from a row to the next, at least its width");
    v("tile_bytes", &P::tile_bytes, Unit::kBytes, Range{1, 1 << 20}, "width of a tile; each of its rows is one DMA");
    v("tile_rows", &P::tile_rows, Unit::kCount, Range{1, 1 << 16}, "height of a tile");
    v("order", &P::order, kTileOrders, "of the tiles");
  }
};

/// Wavefronts of threads that access memory together.
struct GpuParams {
  std::uint64_t window_bytes = 64ULL << 20;
  std::uint32_t wavefronts = 32;
  std::uint32_t lanes = 32;
  std::uint32_t lane_bytes = 4;
  std::uint32_t coalesced_percent = 75;
  std::uint32_t sector_bytes = 32;
  std::uint64_t scatter_bytes = 0;
  std::uint64_t think_ns = 500;

  template <class V>
  static constexpr void describe(V&& v) {
    using base::Unit;
    using params::Range;
    using P = GpuParams;
    v("window_bytes", &P::window_bytes, Unit::kBytes, Range{1, 1ULL << 56}, "what the wavefronts work on");
    v("wavefronts", &P::wavefronts, Unit::kCount, Range{1, 65536}, "accesses of wavefronts in a burst");
    v("lanes", &P::lanes, Unit::kCount, Range{1, 1024}, "threads of a wavefront");
    v("lane_bytes", &P::lane_bytes, Unit::kBytes, Range{1, 64}, "that each thread accesses");
    v("coalesced_percent", &P::coalesced_percent, Unit::kPercent, Range{0, 100},
      "wavefronts whose threads access neighbours: one DMA of lanes x lane_bytes; the others make one for each lane");
    v("sector_bytes", &P::sector_bytes, Unit::kBytes, Range{1, 4096}, "length and alignment of a scattered lane's DMA");
    v("scatter_bytes", &P::scatter_bytes, Unit::kBytes, Range{0, 1ULL << 56},
      "the lanes of a wavefront scatter within a block of this size; 0 is the window");
    v("think_ns", &P::think_ns, Unit::kNs, Range{0, 1'000'000'000},
      "from the last answer of a burst to the begin of the next");
  }
};

enum class TenantOrder : std::uint8_t { kRoundRobin, kRandom };
inline constexpr base::Choice<TenantOrder> kTenantOrders[] = {
    {"round_robin", "in turn, as many DMAs a turn as the weight", TenantOrder::kRoundRobin},
    {"random", "drawn, with a chance in proportion to the weight", TenantOrder::kRandom},
};

/// Functions that each have an address space and a pattern.
struct TenantsParams {
  std::uint32_t tenants = 4;
  std::vector<std::string> patterns{"uniform"};
  std::vector<std::uint64_t> weights{1};
  TenantOrder order = TenantOrder::kRoundRobin;
  bool same_iovas = true;

  template <class V>
  static constexpr void describe(V&& v) {
    using base::Unit;
    using params::Range;
    using P = TenantsParams;
    v("tenants", &P::tenants, Unit::kCount, Range{1, 65536}, "functions, each with an address space of its own");
    v.list("patterns", &P::patterns,
           "of the tenants, over and over: uniform, sequential, tiles or gpu, as this device's groups say");
    v.list("weights", &P::weights, Unit::kCount, Range{1, 1'000'000}, "of the tenants, over and over");
    v("order", &P::order, kTenantOrders, "whose turn it is");
    v("same_iovas", &P::same_iovas, "all tenants use the same IOVAs; else one after the other");
  }
};

}  // namespace iommusim::devices
