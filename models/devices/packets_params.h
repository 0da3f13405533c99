// SPDX-License-Identifier: Apache-2.0
// What kind packets asks for: rate, tenants, queue, and where the three pages of a packet are.
#pragma once

#include <string>

#include "params/describe.h"

namespace iommusim::devices {

enum class AfterDrop : std::uint8_t { kAgain, kNext };
inline constexpr base::Choice<AfterDrop> kAfterDrops[] = {
    {"again", "the same tenant has the next arrival too: its packet is sent again", AfterDrop::kAgain},
    {"next", "the packet is gone, and the next arrival is the next tenant's", AfterDrop::kNext},
};

/// One of the three areas of a tenant.
struct PacketAreaParams {
  std::uint64_t iova = 0;
  std::uint64_t bytes = 4096;
  std::uint32_t access_bytes = 16;
  std::uint64_t page_bytes = 4096;

  template <class V>
  static constexpr void describe(V&& v) {
    using base::Unit;
    using params::Range;
    using P = PacketAreaParams;
    v("iova", &P::iova, Unit::kBytes, Range{0, 1ULL << 56}, "where it begins, a multiple of its pages");
    v("bytes", &P::bytes, Unit::kBytes, Range{64, 1ULL << 40}, "its size; used one slot after the other, and again");
    v("access_bytes", &P::access_bytes, Unit::kBytes, Range{1, 4096},
      "what a packet moves of it; slots are a power of two");
    v("page_bytes", &P::page_bytes, Unit::kBytes, Range{4096, 1ULL << 30}, "pages that map it: 4 KiB, 2 MiB, 1 GiB");
  }
};

struct PacketsParams {
  std::string bdf = "00:01.0";
  std::uint32_t tenants = 1;
  std::uint64_t packets_per_tenant = 8000;
  std::uint64_t interval_ps = 61'000;
  std::uint32_t translation_queue = 1;
  AfterDrop dropped = AfterDrop::kAgain;
  PacketAreaParams ring{0x4000'0000, 4096, 16, 4096};
  PacketAreaParams data{0x8000'0000, 2 << 20, 1542, 2 << 20};
  PacketAreaParams notification{0x4040'0000, 4096, 16, 4096};
  std::uint32_t outstanding = 1024;

  template <class V>
  static constexpr void describe(V&& v) {
    using base::Unit;
    using params::Range;
    using P = PacketsParams;
    v("bdf", &P::bdf, "PCI address of the first tenant's function; the others follow");
    v("tenants", &P::tenants, Unit::kCount, Range{1, 65535}, "functions, in turn");
    v("packets_per_tenant", &P::packets_per_tenant, Unit::kCount, Range{1, 1ULL << 40}, "packets of each of them");
    v("interval_ps", &P::interval_ps, Unit::kPs, Range{1, 1'000'000'000'000}, "from one arrival to the next");
    v("translation_queue", &P::translation_queue, Unit::kCount, Range{1, 65536},
      "packets that wait for translations before one is dropped");
    v("dropped", &P::dropped, kAfterDrops, "what comes after a packet that was dropped");
    v.group("ring", &P::ring, "the descriptor that a packet reads");
    v.group("data", &P::data, "the packet, written; throughput counts its bytes");
    v.group("notification", &P::notification, "written when it is there");
    v("outstanding", &P::outstanding, Unit::kCount, Range{1, 65536}, "DMAs in flight");
  }
};

}  // namespace iommusim::devices
