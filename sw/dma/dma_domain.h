// SPDX-License-Identifier: Apache-2.0
// The DMA API of in-kernel drivers: one DMA address space for a device and all that share its group. map() chooses an
// IOVA and makes memory reachable there; unmap() ends that.
//
// Kept at all times: an IOVA is handed out only when nothing is mapped at it and nothing of an earlier mapping waits
// for an invalidation. Strict: when unmap() has returned, no DMA reaches the memory. Deferred: not before the next
// flush, so a driver that hands memory to somebody else in between trusts its device.
//
// Thread-safe. `cpu` is the processor that the caller runs on: speed only, any number below Options::cpus is right.
// Errors are positive errno numbers. A driver that breaks the rules (unmaps what it did not map) is a contradiction.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "dma/flush_queue.h"
#include "dma/iova_allocator.h"
#include "domain/domain.h"
#include "hal/hardware.h"

namespace iommusim::dma {

/// Which way the data goes: what the device may do.
enum class Direction : std::uint8_t { kToDevice, kFromDevice, kBidirectional };

constexpr unsigned prot_of(Direction direction) {
  switch (direction) {
    case Direction::kToDevice:
      return domain::kRead;
    case Direction::kFromDevice:
      return domain::kWrite;
    default:
      return domain::kRead | domain::kWrite;
  }
}

/// Bytes of memory, or of a device's view of it.
struct Segment {
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;
};

/// A scatter list as the device sees it: pieces that follow each other are one run.
struct ScatterList {
  std::uint64_t iova = 0;   ///< first byte of the first run
  std::uint64_t bytes = 0;  ///< from there to the end of the last run, holes included
  std::vector<Segment> runs;
};

/// Memory for a ring or the like: zeroed, contiguous, mapped for both directions while it exists.
struct Coherent {
  std::uint64_t spa = 0;
  std::uint64_t iova = 0;
  std::uint64_t bytes = 0;
};

class DmaDomain final : FlushSink {
 public:
  /// Attaches all devices of the group of `device`. 0, or why not; then nothing is changed. `frames` is where coherent
  /// memory comes from. close() must be called before the end.
  static int create(hal::Os& os, hal::FrameAllocator& frames, domain::Device& device, const Options& options,
                    Statistics& statistics, std::unique_ptr<DmaDomain>& out);
  ~DmaDomain() override;
  /// Flushes what waits, blocks the devices. A contradiction when something is still mapped by map(), map_sg() or
  /// alloc_coherent(); fixed mappings go.
  void close();

  /// [spa, spa + bytes), any alignment; the pages around it become reachable too. 0, EINVAL, ENOMEM.
  int map(std::uint64_t spa, std::uint64_t bytes, Direction direction, std::uint64_t& iova_out, unsigned cpu = 0);
  /// The same numbers as map() gave and took.
  void unmap(std::uint64_t iova, std::uint64_t bytes, unsigned cpu = 0);

  /// One IOVA range for the whole list. The device sees a piece that begins or ends inside a page with a hole beside
  /// it.
  int map_sg(const std::vector<Segment>& pieces, Direction direction, ScatterList& out, unsigned cpu = 0);
  void unmap_sg(const ScatterList& list, unsigned cpu = 0);

  int alloc_coherent(std::uint64_t bytes, Coherent& out, unsigned cpu = 0);
  /// Always strict: the memory goes back at once. (Linux is less careful here.)
  void free_coherent(const Coherent& memory, unsigned cpu = 0);

  /// A range of IOVAs to be filled by link(), for who maps in several steps what he unmaps at once. 0, EINVAL, ENOMEM.
  int alloc_range(std::uint64_t bytes, std::uint64_t& iova_out, unsigned cpu = 0);
  /// Whole pages inside a range of alloc_range(). 0, EINVAL, EEXIST, ENOMEM.
  int link(std::uint64_t iova, std::uint64_t spa, std::uint64_t bytes, Direction direction);
  /// The numbers of alloc_range(): unmaps what is linked, by the policy.
  void free_range(std::uint64_t iova, std::uint64_t bytes, unsigned cpu = 0);

  /// At an IOVA of the caller's choice; all in whole pages. EEXIST: something is mapped or waits there (deferred: after
  /// a flush), or it is reserved. EINVAL, ENOMEM.
  int map_fixed(std::uint64_t iova, std::uint64_t spa, std::uint64_t bytes, Direction direction);
  /// All fixed mappings inside the range, of which there may be several: one invalidation for all. ENOENT: there is
  /// none. EINVAL: one lies partly outside.
  int unmap_fixed(std::uint64_t iova, std::uint64_t bytes, unsigned cpu = 0);

  /// The hardware forgets the pages of [iova, iova + bytes) and nothing more; returns when it has. Explicit: those of
  /// them that waited are free. EINVAL: no such range.
  int invalidate(std::uint64_t iova, std::uint64_t bytes);
  /// The hardware forgets this domain; returns when it has, and all IOVAs that waited are free.
  void flush();

  bool iova_to_phys(std::uint64_t iova, std::uint64_t& spa_out) { return domain_->iova_to_phys(iova, spa_out); }
  const Options& options() const { return options_; }

 private:
  using Ranges = std::vector<IovaRange>;

  DmaDomain(hal::Os& os, hal::FrameAllocator& frames, domain::Device& device, const Options& options,
            Statistics& statistics);
  int open();
  void reserve(const domain::Domain& domain);
  int allocate(std::uint64_t pages, IovaRange& out, unsigned cpu);
  void count_map(const IovaRange& range);
  void count_unmap(const IovaRange& range);
  /// Clears the leaves and lets go of them. `whole`: all of the range must be mapped.
  void remove(const IovaRange& range, unsigned cpu, bool strict, bool whole = true);
  /// Undoes the first `bytes` of a mapping that is not complete.
  void undo(const IovaRange& range, std::uint64_t bytes, unsigned cpu);
  /// Of cleared ranges: by the policy, or at once, the hardware forgets them; then their IOVAs are free.
  void let_go(const Ranges& ranges, domain::Gather& gather, unsigned cpu, bool strict);
  void wait_for_invalidation(const IovaRange& range);
  Ranges take_waiting(std::uint64_t first, std::uint64_t last);
  int take_fixed(std::uint64_t first, std::uint64_t last, Ranges& out);
  void remove_all_fixed();

  bool flush_domain() override { return domain_->flush_all(); }
  void release(FlushEntry& entry, unsigned cpu) override;

  hal::Os& os_;
  hal::FrameAllocator& frames_;
  domain::Device& device_;
  const Options options_;
  Statistics& statistics_;
  std::unique_ptr<domain::Domain> domain_;
  IovaAllocator iovas_;
  std::unique_ptr<FlushQueue> queue_;  // deferred only
  std::uint64_t limit_ = 0;            // the last page that the device can name
  std::atomic<bool> low_first_{true};
  std::atomic<std::uint64_t> mapped_{0};            // ranges, fixed ones too
  std::unique_ptr<hal::Mutex> invalidating_;        // held from taking what waits until it is free; before lock_
  std::unique_ptr<hal::Mutex> lock_;                // guards what follows; no other lock is taken under it
  std::map<std::uint64_t, std::uint64_t> fixed_;    // mapped: first page -> pages
  std::map<std::uint64_t, std::uint64_t> waiting_;  // explicit: unmapped and not invalidated: first page -> end
};

}  // namespace iommusim::dma
