// SPDX-License-Identifier: Apache-2.0
// The PCI test device's parameters, and what it counts.
#pragma once

#include <string>

#include "params/describe.h"
#include "stats/stats.h"

namespace iommusim::devices {

struct PciTestParams {
  std::string bdf = "00:04.0";
  std::uint64_t register_ns = 100;
  std::uint64_t start_ns = 200;
  std::uint32_t outstanding = 16;
  std::uint32_t split_bytes = 4096;

  template <class V>
  static constexpr void describe(V&& v) {
    using base::Unit;
    using params::Range;
    using P = PciTestParams;
    v("bdf", &P::bdf, "PCI address of the device, bb:dd.f");
    v("register_ns", &P::register_ns, Unit::kNs, Range{0, 1'000'000}, "read of a register");
    v("start_ns", &P::start_ns, Unit::kNs, Range{0, 1'000'000'000}, "write of the command to the start of its DMA");
    v("outstanding", &P::outstanding, Unit::kCount, Range{1, 65536}, "transactions in flight");
    v("split_bytes", &P::split_bytes, Unit::kBytes, Range{64, 4096}, "longest transaction on the bus, a power of two");
  }
};

struct PciTestStats : stats::Group {
  using stats::Group::Group;
  Counter into_device{*this, "into_device", Unit::kCount, "transfers from memory that ended well"};
  Counter to_memory{*this, "to_memory", Unit::kCount, "transfers to memory that ended well"};
  Counter failed{*this, "failed", Unit::kCount, "transfers of which a part was refused"};
  Counter ignored{*this, "ignored", Unit::kCount, "commands while a transfer was under way"};
};

}  // namespace iommusim::devices
