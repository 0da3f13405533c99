// SPDX-License-Identifier: Apache-2.0
// A user process that exists in the simulated machine only: its address space is a set of areas, each either a linear
// window on physical memory or backed by frames that appear on first touch. A pinned page outlives its area: the frame
// goes back when the last pin does. Pins are counted; one unpin too many is a contradiction. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "hal/file_table.h"
#include "hal/hardware.h"
#include "hal/os.h"
#include "hal/process.h"

namespace iommusim::hal {

enum UserAccess : unsigned { kUserRead = 1, kUserWrite = 2 };

class SimProcess final : public Process {
 public:
  static constexpr std::uint64_t kUnlimited = ~0ULL;

  SimProcess(Os& os, Memory& memory, FrameAllocator& frames, std::uint64_t locked_limit_pages = kUnlimited);
  ~SimProcess() override;

  /// Areas are multiples of 4 KiB and must not overlap (EEXIST). `access` is a set of UserAccess. 0 or an errno.
  int map_linear(std::uint64_t va, std::uint64_t bytes, std::uint64_t spa, unsigned access);
  int map_frames(std::uint64_t va, std::uint64_t bytes, unsigned access);
  /// Removes the whole areas inside the range (like munmap, without splitting).
  void unmap(std::uint64_t va, std::uint64_t bytes);
  void set_locked_limit(std::uint64_t pages);

  std::uint64_t pinned_pages() const;  ///< distinct pages with a pin
  std::uint64_t locked_pages() const;  ///< charged and not given back

  int copy_from_user(void* to, std::uint64_t user_va, std::size_t bytes) override;
  int copy_to_user(std::uint64_t user_va, const void* from, std::size_t bytes) override;
  int pin_page(std::uint64_t user_va, bool write, std::uint64_t& spa_out) override;
  void unpin_page(std::uint64_t spa) override;
  int charge_locked(std::uint64_t pages) override;
  void uncharge_locked(std::uint64_t pages) override;
  Files* files() override { return &descriptors_; }
  FileTable& descriptors() { return descriptors_; }

 private:
  struct Area {
    std::uint64_t last;
    unsigned access;
    bool linear;
    std::uint64_t spa;                  // of a linear area
    std::vector<std::uint64_t> frames;  // of a backed area, 0 = not touched yet
  };
  struct Pin {
    std::uint64_t count = 0;
    bool orphan = false;  // the area is gone; free the frame with the last pin
  };

  int insert_area(std::uint64_t va, std::uint64_t bytes, Area area);
  void drop_area_locked(Area& area);
  /// 0 and the physical address of the byte at `va`, or EFAULT.
  int resolve_locked(std::uint64_t va, unsigned access, std::uint64_t& spa);

  Memory& memory_;
  FrameAllocator& frames_;
  std::unique_ptr<Mutex> lock_;                  // guards everything below
  std::map<std::uint64_t, Area> areas_;          // by first byte
  std::unordered_map<std::uint64_t, Pin> pins_;  // by page
  std::uint64_t limit_;
  std::uint64_t locked_ = 0;
  FileTable descriptors_;  // closed first: a release may give back pins
};

}  // namespace iommusim::hal
