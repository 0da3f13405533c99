// SPDX-License-Identifier: Apache-2.0
#include "timing/walk_lines.h"

namespace iommusim::timing {

namespace {

constexpr std::uint64_t line_of(std::uint64_t address) { return base::align_down(address, std::uint64_t{kLineBytes}); }

}  // namespace

const WalkLines::Words* WalkLines::probe(const translate::WalkKey& key, std::uint64_t address) {
  ++stats_.lookups;
  auto* const held = cache_.find(page_of(key));
  if (held == nullptr || held->value.address != line_of(address)) {
    ++stats_.misses;
    return nullptr;
  }
  cache_.touch(*held);
  return &held->value.words;
}

void WalkLines::fill(const translate::WalkKey& key, std::uint64_t address, const Words& words) {
  if (!cache_.enabled()) return;
  if (cache_.insert(page_of(key), Held{key, line_of(address), words}, [](const auto&) {})) ++stats_.evictions;
  ++stats_.fills;
}

void WalkLines::updated(const translate::WalkKey& key, const translate::MemoryAsk& swap) {
  auto* const held = cache_.find(page_of(key));
  if (held == nullptr || held->value.address != line_of(swap.address)) return;
  if (word_in_line(held->value.words, swap.address, swap.bytes) != swap.data[0]) return;
  std::uint64_t& word = held->value.words[(swap.address % kLineBytes) / 8];
  word = swap.bytes == 8 ? swap.data[1]
                         : base::with_bits(word, 8 * static_cast<unsigned>(swap.address & 4), 32, swap.data[1]);
}

void WalkLines::invalidate(const translate::Invalidation& invalidation) {
  stats_.invalidated += cache_.remove_if(
      [&](const PageKey&, const Held& held) { return translate::selects_line(invalidation, held.key); });
}

}  // namespace iommusim::timing
