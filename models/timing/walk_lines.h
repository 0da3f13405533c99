// SPDX-License-Identifier: Apache-2.0
// Lines of page tables that walks read and keep: 64 bytes of one table, the entries of neighbouring pages. A line is
// tagged like what its entries translate, and serves a walk only where that walk's own way led to the same address.
// What a kept line must not do (serve an entry that was not valid, outlive an invalidation) is seen to by whoever asks:
// a word out of a line never ends a request in a fault (Engine::try_shared).
#pragma once

#include <array>

#include "timing/keys.h"
#include "timing/stats.h"
#include "translate/ask.h"

namespace iommusim::timing {

inline constexpr std::uint32_t kLineBytes = 64;

/// The entry at `address`, as an answer to a read of it alone, out of the line around it.
inline std::uint64_t word_in_line(const std::array<std::uint64_t, 8>& line, std::uint64_t address, unsigned bytes) {
  const std::uint64_t word = line[(address % kLineBytes) / 8];
  return bytes == 8 ? word : base::bits(word, 8 * static_cast<unsigned>(address & 4), 32);
}

class WalkLines {
 public:
  using Words = std::array<std::uint64_t, 8>;

  WalkLines(const WalkLineParams& params, std::uint64_t seed, WalkLineStats& stats)
      : cache_(params.kept, seed, "walk_lines"), params_(params), stats_(stats) {}

  bool on() const { return params_.fetch == PteFetch::kLine; }
  bool keeps() const { return on() && cache_.enabled(); }
  /// Whether a read of an entry of that level fetches its line.
  bool fetches(unsigned level) const { return on() && (params_.levels == LineLevels::kAll || level == 0); }

  /// Counted as a look-up; nullptr is a miss. Who finds that the word does not serve says refused(), else used().
  const Words* probe(const translate::WalkKey& key, std::uint64_t address);
  void used() { ++stats_.hits; }
  void refused() {
    ++stats_.refused;
    ++stats_.misses;
  }
  void fill(const translate::WalkKey& key, std::uint64_t address, const Words& words);
  /// An update of the entry at `address` succeeded: what was `from` in memory is `to` now.
  void updated(const translate::WalkKey& key, const translate::MemoryAsk& swap);
  void invalidate(const translate::Invalidation& invalidation);

 private:
  struct Held {
    translate::WalkKey key{};
    std::uint64_t address = 0;
    Words words{};
  };
  static PageKey page_of(const translate::WalkKey& key) {
    return PageKey::make(key.tag, key.levels | unsigned{key.level} << 3, false,
                         key.address >> translate::line_log2(key));
  }

  Cache<PageKey, Held> cache_;
  WalkLineParams params_;
  WalkLineStats& stats_;
};

}  // namespace iommusim::timing
