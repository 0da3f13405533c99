// SPDX-License-Identifier: Apache-2.0
// A user process that exists in the simulated machine only: its address space is a set of areas, each either a linear
// window on physical memory or backed by frames that appear on first touch. A pinned page outlives its area: the frame
// goes back when the last pin does. Pins are counted; one unpin too many is a contradiction. Thread-safe.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <unordered_set>
#include <vector>

#include "hal/file_table.h"
#include "hal/hardware.h"
#include "hal/os.h"
#include "hal/pin_table.h"
#include "hal/process.h"

namespace iommusim::hal {

enum UserAccess : unsigned { kUserRead = 1, kUserWrite = 2 };

/// The account of a user, which several processes may share.
struct SimUser {
  std::atomic<std::uint64_t> locked_pages{0};
};

class SimProcess final : public Process {
 public:
  static constexpr std::uint64_t kUnlimited = ~0ULL;

  SimProcess(Os& os, Memory& memory, FrameAllocator& frames, std::uint64_t locked_limit_pages = kUnlimited,
             std::shared_ptr<SimUser> user = std::make_shared<SimUser>());
  ~SimProcess() override;

  /// Areas are multiples of 4 KiB and must not overlap (EEXIST). `access` is a set of UserAccess. 0 or an errno.
  int map_linear(std::uint64_t va, std::uint64_t bytes, std::uint64_t spa, unsigned access);
  int map_frames(std::uint64_t va, std::uint64_t bytes, unsigned access);
  /// Removes the whole areas inside the range (like munmap, without splitting).
  void unmap(std::uint64_t va, std::uint64_t bytes);
  void set_locked_limit(std::uint64_t pages);
  void set_capability(ProcessCapability capability, bool on);

  std::uint64_t pinned_pages() const;     ///< distinct pages with a pin
  std::uint64_t locked_pages() const;     ///< charged by this process to its user or itself, and not given back
  std::uint64_t mm_locked_pages() const;  ///< of these, charged to itself (VmLck)
  std::uint64_t mm_pinned_pages() const;  ///< charged to any account or none (VmPin)

  int copy_from_user(void* to, std::uint64_t user_va, std::size_t bytes) override;
  int copy_to_user(std::uint64_t user_va, const void* from, std::size_t bytes) override;
  int pin_page(std::uint64_t user_va, bool write, std::uint64_t& spa_out) override;
  void unpin_page(std::uint64_t spa) override;
  int pin_pages(std::uint64_t user_va, std::uint64_t count, bool write, std::uint64_t* spas,
                std::uint64_t& pinned) override;
  void unpin_pages(const std::uint64_t* spas, std::uint64_t count) override;
  int pins_of_page(std::uint64_t user_va, std::uint64_t& pins) override;
  int charge_locked(std::uint64_t pages, LockedAccount account) override;
  void uncharge_locked(std::uint64_t pages, LockedAccount account) override;
  bool capable(ProcessCapability capability) const override;
  const void* user_identity() const override { return user_.get(); }
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

  int insert_area(std::uint64_t va, std::uint64_t bytes, Area area);
  void drop_area_locked(Area& area);
  Area* find_area_locked(std::uint64_t va, unsigned access, std::uint64_t& offset);
  /// 0, or EFAULT when memory is short: what a killed page fault looks like to the kernel.
  int byte_of_locked(Area& area, std::uint64_t offset, std::uint64_t& spa);
  /// 0 and the physical address of the byte at `va`, or EFAULT.
  int resolve_locked(std::uint64_t va, unsigned access, std::uint64_t& spa);
  void drop_pin_locked(std::uint64_t spa);

  Memory& memory_;
  FrameAllocator& frames_;
  std::unique_ptr<Mutex> lock_;          // guards everything below
  std::map<std::uint64_t, Area> areas_;  // by first byte
  PinTable pins_;
  std::unordered_set<std::uint64_t> orphans_;  // pinned frames whose area is gone: freed with the last pin
  std::uint64_t limit_;
  std::uint64_t user_locked_ = 0;  // of user_, charged by this process
  std::uint64_t mm_locked_ = 0;
  std::uint64_t mm_pinned_ = 0;
  unsigned capabilities_ = 0;  // a bit a ProcessCapability
  const std::shared_ptr<SimUser> user_;
  FileTable descriptors_;  // closed first: a release may give back pins
};

}  // namespace iommusim::hal
