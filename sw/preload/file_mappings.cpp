// SPDX-License-Identifier: Apache-2.0
// Pieces of mappings, cut where the program cuts.
#include "preload/file_mappings.h"

namespace iommusim::preload {

void FileMappings::add(std::uint64_t va, std::uint64_t bytes, const hal::MappedRegion& region, int prot) {
  remove(va, bytes);
  const std::lock_guard guard(lock_);
  pieces_.emplace(va, Piece{va + bytes, region.registers, region.offset, prot, region.hold});
}

void FileMappings::cut(std::uint64_t va) {
  auto at = pieces_.upper_bound(va);
  if (at == pieces_.begin()) return;
  --at;
  if (at->first == va || at->second.end <= va) return;
  Piece upper = at->second;
  upper.offset += va - at->first;
  at->second.end = va;
  pieces_.emplace(va, std::move(upper));
}

FileMappings::Pieces FileMappings::take(std::uint64_t va, std::uint64_t bytes) {
  Pieces taken;
  const std::lock_guard guard(lock_);
  if (pieces_.empty()) return taken;
  cut(va);
  cut(va + bytes);
  const auto end = pieces_.lower_bound(va + bytes);
  for (auto at = pieces_.lower_bound(va); at != end; at = pieces_.erase(at)) taken.insert(*at);
  return taken;
}

void FileMappings::remove(std::uint64_t va, std::uint64_t bytes) { take(va, bytes); }  // dropped without the lock

void FileMappings::move(std::uint64_t from, std::uint64_t bytes, std::uint64_t to) {
  const Pieces taken = take(from, bytes);
  const std::lock_guard guard(lock_);
  for (const auto& [va, piece] : taken) {
    Piece moved = piece;
    moved.end = piece.end - from + to;
    pieces_.emplace(va - from + to, std::move(moved));
  }
}

std::shared_ptr<hal::MappedRegisters> FileMappings::find(std::uint64_t va, std::uint64_t& offset_out, int& prot_out) {
  const std::lock_guard guard(lock_);
  auto at = pieces_.upper_bound(va);
  if (at == pieces_.begin()) return nullptr;
  --at;
  if (va >= at->second.end) return nullptr;
  offset_out = at->second.offset + (va - at->first);
  prot_out = at->second.prot;
  return at->second.registers;
}

bool FileMappings::set_rights(std::uint64_t va, std::uint64_t bytes, int prot) {
  const std::lock_guard guard(lock_);
  if (pieces_.empty()) return false;
  cut(va);
  cut(va + bytes);
  bool registers = false;
  for (auto at = pieces_.lower_bound(va); at != pieces_.end() && at->first < va + bytes; ++at) {
    at->second.prot = prot;
    registers = registers || at->second.registers;
  }
  return registers;
}

bool FileMappings::empty() {
  const std::lock_guard guard(lock_);
  return pieces_.empty();
}

}  // namespace iommusim::preload
