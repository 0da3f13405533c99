// SPDX-License-Identifier: Apache-2.0
// Tiles of an image: each row of a tile is one access; tiles at the right and lower edge are cut. After the last tile
// comes the first again. A tile is read or written as a whole.
#include <algorithm>

#include "base/error.h"
#include "base/random.h"
#include "devices/patterns.h"

namespace iommusim::devices {

namespace {

/// The bits of `code` at even places (x) or, shifted by one, at odd ones (y).
std::uint32_t every_second_bit(std::uint64_t code) {
  std::uint32_t out = 0;
  for (unsigned bit = 0; bit < 32; ++bit) out |= static_cast<std::uint32_t>(code >> (2 * bit) & 1) << bit;
  return out;
}

class Tiles final : public AccessPattern {
 public:
  Tiles(const TilesParams& params, std::uint32_t read_percent, std::uint64_t seed)
      : params_(params),
        read_percent_(read_percent),
        random_(seed),
        columns_((params.width_bytes + params.tile_bytes - 1) / params.tile_bytes),
        lines_((params.rows + params.tile_rows - 1) / params.tile_rows) {
    if (params.pitch_bytes < params.width_bytes)
      throw base::InputError("pitch_bytes is " + std::to_string(params.pitch_bytes) +
                             ", expected at least width_bytes, " + std::to_string(params.width_bytes));
    streams_.push_back({0, 0, (params.rows - 1) * params.pitch_bytes + params.width_bytes});
    while ((1U << side_log2_) < std::max(columns_, lines_)) ++side_log2_;
  }

  Access next() override {
    if (row_ == row_end_) begin_tile();
    Access access;
    access.offset = row_ * params_.pitch_bytes + x_;
    access.bytes = std::min(params_.tile_bytes, params_.width_bytes - x_);
    access.write = write_;
    ++row_;
    return access;
  }

 private:
  void begin_tile() {
    std::uint32_t column = 0, line = 0;
    choose(column, line);
    x_ = column * params_.tile_bytes;
    row_ = static_cast<std::uint64_t>(line) * params_.tile_rows;
    row_end_ = std::min<std::uint64_t>(row_ + params_.tile_rows, params_.rows);
    write_ = !random_.chance(read_percent_, 100);
  }

  void choose(std::uint32_t& column, std::uint32_t& line) {
    const std::uint64_t tiles = std::uint64_t{columns_} * lines_;
    switch (params_.order) {
      case TileOrder::kRandom: {
        const std::uint64_t tile = random_.below(tiles);
        column = static_cast<std::uint32_t>(tile % columns_);
        line = static_cast<std::uint32_t>(tile / columns_);
        return;
      }
      case TileOrder::kMorton:
        do {  // the curve fills a square; what lies outside the image is passed over
          column = every_second_bit(tile_);
          line = every_second_bit(tile_ >> 1);
          tile_ = (tile_ + 1) & ((1ULL << (2 * side_log2_)) - 1);
        } while (column >= columns_ || line >= lines_);
        return;
      case TileOrder::kRows:
        column = static_cast<std::uint32_t>(tile_ % columns_);
        line = static_cast<std::uint32_t>(tile_ / columns_);
        break;
      case TileOrder::kColumns:
        column = static_cast<std::uint32_t>(tile_ / lines_);
        line = static_cast<std::uint32_t>(tile_ % lines_);
        break;
    }
    tile_ = tile_ + 1 == tiles ? 0 : tile_ + 1;
  }

  TilesParams params_;
  std::uint32_t read_percent_;
  base::Random random_;
  std::uint32_t columns_, lines_;  ///< of tiles
  unsigned side_log2_ = 0;         ///< of the square around them
  std::uint64_t tile_ = 0;         ///< the next one, in the order's own count
  std::uint32_t x_ = 0;
  std::uint64_t row_ = 0, row_end_ = 0;
  bool write_ = false;
};

}  // namespace

std::unique_ptr<AccessPattern> make_tiles(const TilesParams& params, std::uint32_t read_percent, std::uint64_t seed) {
  return std::make_unique<Tiles>(params, read_percent, seed);
}

}  // namespace iommusim::devices
