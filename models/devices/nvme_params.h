// SPDX-License-Identifier: Apache-2.0
// The NVMe drive's parameters: controller, medium, and the I/O that is asked of it.
#pragma once

#include <string>

#include "params/describe.h"

namespace iommusim::devices {

struct NvmeParams {
  std::string bdf = "00:03.0";
  std::uint64_t blocks = 1ULL << 20;
  std::uint32_t channels = 8;
  std::uint64_t read_ns = 10'000;
  std::uint64_t write_ns = 5'000;
  std::uint64_t bandwidth_bytes_per_s = 0;
  std::uint32_t fetch_batch = 8;
  std::uint64_t register_ns = 100;
  std::uint64_t doorbell_ns = 200;
  std::uint64_t interrupt_ns = 0;
  std::uint32_t outstanding = 64;
  std::uint32_t split_bytes = 4096;

  template <class V>
  static constexpr void describe(V&& v) {
    using base::Unit;
    using params::Range;
    using P = NvmeParams;
    v("bdf", &P::bdf, "PCI address of the device, bb:dd.f");
    v("blocks", &P::blocks, Unit::kCount, Range{1, 1ULL << 40}, "of 4 KiB, of the medium");
    v("channels", &P::channels, Unit::kCount, Range{1, 4096}, "commands that the medium serves at a time");
    v("read_ns", &P::read_ns, Unit::kNs, Range{0, 1'000'000'000}, "of the medium, for a read command");
    v("write_ns", &P::write_ns, Unit::kNs, Range{0, 1'000'000'000}, "for a write command");
    v("bandwidth_bytes_per_s", &P::bandwidth_bytes_per_s, Unit::kBytesPerSecond, Range{0, 1'000'000'000'000},
      "of the medium, all channels together; 0 is no limit");
    v("fetch_batch", &P::fetch_batch, Unit::kCount, Range{1, 256}, "commands read at once, at most");
    v("register_ns", &P::register_ns, Unit::kNs, Range{0, 1'000'000}, "read of a register");
    v("doorbell_ns", &P::doorbell_ns, Unit::kNs, Range{0, 1'000'000}, "write of a doorbell to its effect");
    v("interrupt_ns", &P::interrupt_ns, Unit::kNs, Range{0, 1'000'000'000},
      "moderation: least time from one interrupt of a queue to its next");
    v("outstanding", &P::outstanding, Unit::kCount, Range{1, 65536}, "transactions in flight");
    v("split_bytes", &P::split_bytes, Unit::kBytes, Range{64, 4096}, "longest transaction on the bus, a power of two");
  }
};

/// What the program above the drive asks for.
struct IoParams {
  std::uint32_t queues = 1;
  std::uint32_t depth = 32;
  std::uint64_t count = 10'000;
  std::uint32_t io_bytes = 4096;
  std::uint32_t read_percent = 100;
  bool sequential = false;

  template <class V>
  static constexpr void describe(V&& v) {
    using base::Unit;
    using params::Range;
    using P = IoParams;
    v("queues", &P::queues, Unit::kCount, Range{1, 1024}, "pairs of queues, each with a thread of the driver");
    v("depth", &P::depth, Unit::kCount, Range{1, 65535}, "commands that each thread keeps under way");
    v("count", &P::count, Unit::kCount, Range{1, ~0ULL}, "commands in all");
    v("io_bytes", &P::io_bytes, Unit::kBytes, Range{4096, 2 << 20}, "of each, a multiple of 4 KiB");
    v("read_percent", &P::read_percent, Unit::kPercent, Range{0, 100}, "share of reads, the rest are writes");
    v("sequential", &P::sequential, "one place after the other, the queues in turn; else random places");
  }
};

}  // namespace iommusim::devices
