// SPDX-License-Identifier: Apache-2.0
// The descriptors of this process that belong to the stack. Each is a real one, so poll, epoll, dup, passing on and
// /proc/self/fd tell the truth by themselves; here stands which open file it is. Behind the nodes of /dev stands the
// placeholder in the tree of `iommusim exec`, behind other files an eventfd or epoll (what can be waited for) or a
// memory file. Thread-safe; no lock is held while a File works.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "hal/file.h"

namespace iommusim::preload {

/// An open file description.
struct OpenFile {
  std::shared_ptr<hal::File> file;  ///< empty in a child of fork that did not open it
  std::uint64_t remote = 0;         ///< in such a child: its name in the process that has the machine
  std::shared_ptr<void> hold;       ///< in such a child: tells that process when the last copy is closed
  std::uint64_t device_number = 0;  ///< of a node: st_rdev; 0: not a node
  std::mutex position_lock;
  std::uint64_t position = 0;  // guarded by position_lock
};

class Descriptors final : public hal::Files {
 public:
  static constexpr int kMaxFd = 1 << 16;

  int reserve(std::shared_ptr<hal::File> file, int& fd_out, bool close_on_exec = true) override;
  void publish(int fd) override;
  void cancel(int fd) override;
  int find(int fd, std::shared_ptr<hal::File>& out) override;
  int find_event(int fd, std::shared_ptr<hal::EventSignal>& out) override;
  int find_memory(int fd, std::shared_ptr<hal::MemoryFile>& out) override;

  /// Cheap: whether get() may find something.
  bool may_be_ours(int fd) const { return fd >= 0 && fd < kMaxFd && ours_[fd].load(std::memory_order_relaxed); }
  std::shared_ptr<OpenFile> get(int fd);
  /// `fd` is open and shows `file` from now on.
  void add(int fd, std::shared_ptr<OpenFile> file);
  /// Forgets the number; what it showed ends when the caller drops it. Before the number is closed.
  std::shared_ptr<OpenFile> remove(int fd);
  /// After a successful dup of any kind: `to` shows what `from` shows, ours or not.
  void duplicated(int from, int to);

  /// Every number with its file, ascending.
  std::vector<std::pair<int, std::shared_ptr<OpenFile>>> all();
  // Around fork, so that the child finds the table in order.
  void lock() { lock_.lock(); }
  void unlock() { lock_.unlock(); }
  /// In the child: replaces each file by what `change` makes of it; the old ones are never released.
  template <class Change>
  void replace_all(Change change) {
    const std::lock_guard guard(lock_);
    for (Slot& slot : slots_)
      if (slot.file) slot.file = change(**new std::shared_ptr<OpenFile>(slot.file));
  }

 private:
  struct Slot {
    std::shared_ptr<OpenFile> file;
    bool published = false;
  };
  std::shared_ptr<OpenFile> remove_if(int fd, bool published);

  std::atomic<bool> ours_[kMaxFd]{};
  std::mutex lock_;  // a leaf; guards slots_
  std::vector<Slot> slots_;
};

/// Makes the real descriptor that stands behind `file` and follows its readiness: its number, or a negative errno.
int make_backing(hal::File& file, bool close_on_exec);

}  // namespace iommusim::preload
