// SPDX-License-Identifier: Apache-2.0
// The descriptors of a simulated process: numbers from 3 upward, and the system calls on them, with the checks that the
// kernel makes before it asks the file. No lock is held while a file works; a call in flight keeps its file alive, so
// its release comes after the call. Also the two files of other subsystems that programs hand in: event and memory.
#pragma once

#include <memory>
#include <vector>

#include "hal/file.h"
#include "hal/hardware.h"
#include "hal/os.h"

namespace iommusim::hal {

class FileTable final : public Files {
 public:
  explicit FileTable(Os& os, std::size_t limit = 1024);
  ~FileTable() override;

  int reserve(std::shared_ptr<File> file, int& fd_out, bool close_on_exec = true) override;
  void publish(int fd) override;
  void cancel(int fd) override;
  int find(int fd, std::shared_ptr<File>& out) override;
  int find_event(int fd, std::shared_ptr<EventSignal>& out) override;
  int find_memory(int fd, std::shared_ptr<MemoryFile>& out) override;

  // System calls of `caller`.
  int close(int fd);
  int dup(int fd);
  std::int64_t read(Process& caller, int fd, std::uint64_t user_va, std::uint64_t bytes);
  std::int64_t write(Process& caller, int fd, std::uint64_t user_va, std::uint64_t bytes);
  std::int64_t pread(Process& caller, int fd, std::uint64_t user_va, std::uint64_t bytes, std::uint64_t position);
  std::int64_t pwrite(Process& caller, int fd, std::uint64_t user_va, std::uint64_t bytes, std::uint64_t position);
  std::int64_t ioctl(Process& caller, int fd, std::uint32_t command, std::uint64_t arg);
  int mmap(Process& caller, int fd, std::uint64_t offset, std::uint64_t bytes, unsigned prot, bool shared,
           MappedRegion& out);
  /// A set of POLLIN 1 and POLLOUT 4. Waits at most `timeout_ns` until one of `events` is there.
  int poll(int fd, unsigned events, std::uint64_t timeout_ns = 0);

  std::size_t open_count() const;

 private:
  struct Description;  // shared by duplicates
  struct Slot {
    std::shared_ptr<Description> description;  // empty: free
    bool published = false;
  };
  class Waker;

  int place_locked(std::shared_ptr<Description> description, bool published, int& fd_out);
  std::shared_ptr<Description> get(int fd) const;

  Os& os_;
  const std::size_t limit_;
  std::shared_ptr<Waker> waker_;
  mutable std::mutex lock_;  // a leaf; guards slots_
  std::vector<Slot> slots_;  // by number - 3
};

/// An eventfd: signals add up, a read of 8 bytes takes the sum.
class EventFile final : public File, public EventSignal {
 public:
  EventFile() : File("anon_inode:[eventfd]", Pollable::kReadableWritable) {}
  void signal() override;
  std::int64_t read(Process& caller, std::uint64_t user_va, std::uint64_t bytes, std::uint64_t& position) override;
  std::uint64_t count();

 private:
  std::mutex lock_;
  std::uint64_t count_ = 0;
};

/// A memfd of `pages` pages. Frames appear with the first pin and stay until the file is gone; its pins are gone then.
class MemFd final : public File, public MemoryFile {
 public:
  MemFd(FrameAllocator& frames, std::uint64_t pages);
  ~MemFd() override;
  int pin_page(std::uint64_t offset, bool write, std::uint64_t& spa_out) override;
  void unpin_page(std::uint64_t spa) override;
  std::uint64_t pins();

 private:
  FrameAllocator& frames_;
  std::mutex lock_;
  std::vector<std::uint64_t> spas_;  // 0: not touched yet
  std::uint64_t pins_ = 0;
};

}  // namespace iommusim::hal
