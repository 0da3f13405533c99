// SPDX-License-Identifier: Apache-2.0
// The driver of a device with rings: where it runs, how it maps buffers, how it waits.
#pragma once

#include "drivers/rings/buffer_pool.h"
#include "params/describe.h"

namespace iommusim::platform {

enum class DriverPlace : std::uint8_t { kStack, kUser, kKernel };
inline constexpr base::Choice<DriverPlace> kDriverPlaces[] = {
    {"stack", "where software.stack says", DriverPlace::kStack},
    {"user", "a user program over iommufd: IOVAs are its own, unmapping is strict", DriverPlace::kUser},
    {"kernel", "a kernel driver over the DMA API, as software.dma says", DriverPlace::kKernel},
};

inline constexpr base::Choice<drivers::rings::Mapping> kMappings[] = {
    {"buffer", "each buffer for each use, and unmapped after it", drivers::rings::Mapping::kBuffer},
    {"ring", "all buffers of a ring together, once", drivers::rings::Mapping::kRing},
    {"pool", "each buffer when it is used for the first time, to stay mapped", drivers::rings::Mapping::kPool},
};

enum class BufferLayout : std::uint8_t { kContiguous, kScattered };
inline constexpr base::Choice<BufferLayout> kBufferLayouts[] = {
    {"contiguous", "a buffer is mapped by one call and is one piece for the device", BufferLayout::kContiguous},
    {"scattered", "each page of a buffer is mapped by a call of its own and is a piece", BufferLayout::kScattered},
};

enum class Completion : std::uint8_t { kInterrupt, kPolling };
inline constexpr base::Choice<Completion> kCompletions[] = {
    {"interrupt", "the thread of a queue sleeps until the device interrupts", Completion::kInterrupt},
    {"polling", "it looks again and again, each software.cost.poll_ns", Completion::kPolling},
};

struct DriverParams {
  DriverPlace place = DriverPlace::kStack;
  drivers::rings::Mapping mapping = drivers::rings::Mapping::kBuffer;
  BufferLayout layout = BufferLayout::kContiguous;
  std::uint32_t buffer_pages = 1;
  std::uint32_t buffers = 256;
  std::uint32_t ring_entries = 256;
  Completion completion = Completion::kInterrupt;
  std::uint32_t batch = 16;
  std::uint64_t packet_ns = 200;
  std::uint64_t iova = 1ULL << 32;
  std::uint32_t spread = 1;
  std::uint64_t wrong_every = 0;

  template <class V>
  static constexpr void describe(V&& v) {
    using base::Unit;
    using params::Range;
    using P = DriverParams;
    v("place", &P::place, kDriverPlaces, "where it runs");
    v("mapping", &P::mapping, kMappings, "what is mapped when");
    v("layout", &P::layout, kBufferLayouts, "how a buffer of several pages is mapped");
    v("buffer_pages", &P::buffer_pages, Unit::kCount, Range{1, 512}, "kind nic: pages of 4 KiB in a buffer");
    v("buffers", &P::buffers, Unit::kCount, Range{1, 1 << 20}, "kind nic: of a ring, handed out in turn");
    v("ring_entries", &P::ring_entries, Unit::kCount, Range{2, 65536}, "of each ring or queue; one stays free");
    v("completion", &P::completion, kCompletions, "how the driver waits for the device");
    v("batch", &P::batch, Unit::kCount, Range{1, 65536}, "buffers, packets or commands that share a doorbell, at most");
    v("packet_ns", &P::packet_ns, Unit::kNs, Range{0, 1'000'000'000}, "processor time of a packet or a command");
    v("iova", &P::iova, Unit::kBytes, Range{0, 1ULL << 56}, "place user: first IOVA that it uses, a multiple of 4 KiB");
    v("spread", &P::spread, Unit::kCount, Range{1, 4096},
      "place user: its IOVAs lie in so many times the space that they need, one mapping far from the other");
    v("wrong_every", &P::wrong_every, Unit::kCount, Range{0, ~0ULL},
      "a bug of the driver: of so many uses of buffers one tells the device a wrong address; 0: none");
  }
};

}  // namespace iommusim::platform
