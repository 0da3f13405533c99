// SPDX-License-Identifier: Apache-2.0
// What IOAS_MAP, COPY, UNMAP, attach, replace, detach and DESTROY must do, said again as simply as possible: lists of
// byte ranges that are searched from end to end. For a comparison with the stack under random operations.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace iommusim::iommufd::model {

using U64 = std::uint64_t;
constexpr U64 kPageBytes = 4096, kTop = ~0ULL;

/// Memory of the program: [base, base + rw) can be written, the next `ro` bytes only read, the rest is not there.
struct Memory {
  U64 base = 0, rw = 0, ro = 0;
  bool can_pin(U64 va, U64 last, bool write) const {
    const U64 end = base + rw + (write ? 0 : ro);
    return va >= base && last < end;
  }
};

struct Area {
  U64 start = 0, last = 0;
  U64 va = 0;                        // what `start` shows
  bool read = false, write = false;  // for devices
  bool array_writable = false;       // of the first mapping
};

struct Space {
  std::vector<Area> areas;  // ascending
  int devices = 0;
};

class Model {
 public:
  Model(Memory memory, U64 aperture_start, U64 aperture_last)
      : memory_(memory), low_(aperture_start), high_(aperture_last) {}

  std::map<std::uint32_t, Space> spaces;

  static U64 alignment(const Space& space) { return space.devices != 0 ? kPageBytes : 1; }
  bool reserved(const Space& space, U64 start, U64 last) const {
    return space.devices != 0 && (start < low_ || last > high_);
  }
  static const Area* at(const Space& space, U64 iova) {
    for (const Area& area : space.areas)
      if (area.start <= iova && iova <= area.last) return &area;
    return nullptr;
  }
  static bool taken(const Space& space, U64 start, U64 last) {
    return std::any_of(space.areas.begin(), space.areas.end(),
                       [&](const Area& area) { return area.start <= last && start <= area.last; });
  }

  int map(std::uint32_t id, U64 va, U64 length, bool read, bool write, bool fixed, U64& iova) {
    if (spaces.count(id) == 0) return ENOENT;
    if (length == 0) return EINVAL;
    return put(spaces[id], {{0, length - 1, va, read, write, write}}, read, write, fixed, iova);
  }

  int copy(std::uint32_t to, std::uint32_t from, U64 src, U64 length, bool read, bool write, bool fixed, U64& iova) {
    if (spaces.count(from) == 0) return ENOENT;
    if (length == 0) return EINVAL;
    std::vector<Area> pieces;
    for (U64 next = src; next - src < length;) {
      const Area* const area = at(spaces[from], next);
      if (!area) return ENOENT;
      const U64 last = std::min(area->last, src + (length - 1));
      pieces.push_back({next - src, last - src, area->va + (next - area->start), read, write, area->array_writable});
      next = last + 1;
    }
    return spaces.count(to) == 0 ? ENOENT : put(spaces[to], std::move(pieces), read, write, fixed, iova);
  }

  int unmap(std::uint32_t id, U64 iova, U64 length, U64& removed) {
    removed = 0;
    if (spaces.count(id) == 0) return ENOENT;
    if (length == 0) return EINVAL;
    auto& areas = spaces[id].areas;
    const U64 last = iova + (length - 1);
    for (std::size_t i = 0; i < areas.size();) {
      if (areas[i].last < iova || areas[i].start > last) {
        ++i;
        continue;
      }
      if (areas[i].start < iova || areas[i].last > last) return ENOENT;
      removed += areas[i].last - areas[i].start + 1;
      areas.erase(areas.begin() + static_cast<long>(i));
    }
    return removed == 0 ? ENOENT : 0;
  }

  /// A device that has no address space joins this one.
  int attach(std::uint32_t id) {
    if (spaces.count(id) == 0) return ENOENT;
    Space& space = spaces[id];
    if (space.devices == 0) {
      for (const Area& area : space.areas)
        if (area.start % kPageBytes != 0 || (area.last + 1) % kPageBytes != 0 || area.va % kPageBytes != 0)
          return EADDRINUSE;
      for (const Area& area : space.areas)
        if (area.start < low_ || area.last > high_) return EADDRINUSE;
      for (const Area& area : space.areas)
        if (!pinnable(area)) return EFAULT;
    }
    ++space.devices;
    return 0;
  }
  void detach(std::uint32_t id) { --spaces[id].devices; }

  int destroy(std::uint32_t id) {
    if (spaces.count(id) == 0) return ENOENT;
    if (spaces[id].devices != 0) return EBUSY;
    spaces.erase(id);
    return 0;
  }

 private:
  bool pinnable(const Area& area) const {
    return memory_.can_pin(area.va, area.va + (area.last - area.start), area.array_writable);
  }

  /// `pieces` count from 0; they get their place.
  int put(Space& space, std::vector<Area> pieces, bool read, bool write, bool fixed, U64& iova) {
    const U64 unit = alignment(space);
    const U64 length = pieces.back().last + 1;
    const U64 va = pieces.front().va;
    if (length % unit != 0) return EINVAL;
    if (fixed) {
      if (iova % unit != 0) return EINVAL;
      if (reserved(space, iova, iova + (length - 1))) return EINVAL;
      if (taken(space, iova, iova + (length - 1))) return EEXIST;
    } else {
      U64 wanted = 1;
      while (wanted < length) wanted *= 2;
      while (va % wanted != 0) wanted /= 2;
      wanted = std::min<U64>(wanted, 2 << 20);
      if (wanted < unit) return EINVAL;
      const auto place = first_fit(space, length, wanted, va % kPageBytes);
      if (!place) return ENOSPC;
      iova = *place;
    }
    for (Area& piece : pieces) {
      if (write && !piece.array_writable) return EPERM;
      piece.start += iova, piece.last += iova;
      piece.read = read, piece.write = write;
      if (piece.va % unit != 0 || piece.start % unit != 0 || (piece.last + 1) % unit != 0) return EINVAL;
    }
    if (space.devices != 0)
      for (const Area& piece : pieces)
        if (!pinnable(piece)) return EFAULT;
    space.areas.insert(space.areas.end(), pieces.begin(), pieces.end());
    std::sort(space.areas.begin(), space.areas.end(), [](const Area& a, const Area& b) { return a.start < b.start; });
    return 0;
  }

  std::optional<U64> first_fit(const Space& space, U64 length, U64 wanted, U64 in_page) const {
    U64 from = space.devices != 0 ? std::max(kPageBytes, low_) : kPageBytes;
    const U64 end = space.devices != 0 ? std::min(high_, kTop - kPageBytes) : kTop - kPageBytes;
    // The whole window is tested first, and its beginning moves to its first place.
    const auto move = [&](U64 start) { return ((start + (wanted - 1)) / wanted * wanted) | in_page; };
    const U64 window = move(kPageBytes);
    from = std::max(from, window);
    for (std::size_t i = 0; i <= space.areas.size(); ++i) {
      const U64 last = i < space.areas.size() ? std::min(space.areas[i].start - 1, end) : end;
      if (i == space.areas.size() || space.areas[i].start > from) {
        const U64 place = move(from);
        if (place < last && last - place >= length - 1 && last <= end && from <= last) return place;
      }
      if (i < space.areas.size()) from = std::max(from, space.areas[i].last + 1);
    }
    return std::nullopt;
  }

  const Memory memory_;
  const U64 low_, high_;
};

}  // namespace iommusim::iommufd::model
