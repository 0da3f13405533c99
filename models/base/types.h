// SPDX-License-Identifier: Apache-2.0
// Strong types for the addresses and identifiers that must never be confused: an IOVA, a guest-physical address and a
// system-physical address are three different things, and so are the four numbers that tag a translation.
#pragma once

#include <cstdint>
#include <functional>

namespace iommusim::base {

/// An unsigned number with a type of its own; `Tag` tells one kind from another. Comparable and hashable, nothing more:
/// arithmetic is done on `.value`, where the reader sees it.
template <class Tag, class Rep>
struct Strong {
  Rep value{};
  constexpr Strong() = default;
  constexpr explicit Strong(Rep v) : value(v) {}
  friend constexpr bool operator==(Strong a, Strong b) { return a.value == b.value; }
  friend constexpr bool operator!=(Strong a, Strong b) { return a.value != b.value; }
  friend constexpr bool operator<(Strong a, Strong b) { return a.value < b.value; }
};

using Iova = Strong<struct IovaTag, std::uint64_t>;            ///< address that a device puts on the bus
using Gpa = Strong<struct GpaTag, std::uint64_t>;              ///< guest-physical address: after the first stage
using Spa = Strong<struct SpaTag, std::uint64_t>;              ///< system-physical address: after both stages
using DeviceId = Strong<struct DeviceIdTag, std::uint32_t>;    ///< 24 bits
using ProcessId = Strong<struct ProcessIdTag, std::uint32_t>;  ///< 20 bits
using Gscid = Strong<struct GscidTag, std::uint16_t>;          ///< 16 bits
using Pscid = Strong<struct PscidTag, std::uint32_t>;          ///< 20 bits

inline constexpr std::uint64_t kPageSize = 4096;
inline constexpr unsigned kPageShift = 12;

}  // namespace iommusim::base

template <class Tag, class Rep>
struct std::hash<iommusim::base::Strong<Tag, Rep>> {
  std::size_t operator()(iommusim::base::Strong<Tag, Rep> v) const noexcept { return std::hash<Rep>{}(v.value); }
};
