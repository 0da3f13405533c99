// SPDX-License-Identifier: Apache-2.0
// What stands behind a file descriptor, and the table of descriptors of a process. A File is an open file description
// (the kernel's struct file): descriptors that were duplicated share it; its destructor is the release at the last
// close. The table has two bindings: invented numbers inside a simulation or a test (hal/file_table.h), and the real
// descriptors of a real program (preload). Calls answer as a system call does: a result, or a negative errno.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "hal/dma_buf.h"
#include "hal/process.h"

namespace iommusim::hal {

/// Registers that a program reaches through a mapping of a file: each load and store is a call, naturally aligned, of
/// 1, 2, 4 or 8 bytes.
class MappedRegisters {
 public:
  virtual ~MappedRegisters() = default;
  virtual std::uint64_t load(std::uint64_t offset, unsigned bytes) = 0;
  virtual void store(std::uint64_t offset, unsigned bytes, std::uint64_t value) = 0;
};

/// What mmap() of a file shows.
struct MappedRegion {
  std::shared_ptr<MappedRegisters> registers;  ///< null: memory
  std::uint64_t offset = 0;                    ///< registers: where the mapping begins in them
  std::uint64_t spa = 0;                       ///< memory: where it lies, contiguous
  std::shared_ptr<void> hold;                  ///< dropped when the last page of the mapping is gone
};

/// Told, in the order of the changes, when data to read comes or has gone. May be called under locks of the File.
class ReadinessListener {
 public:
  virtual ~ReadinessListener() = default;
  virtual void readable_changed(bool readable) = 0;
};

/// What poll() of a file answers.
enum class Pollable {
  kAlways,           ///< has no poll operation: always ready for both
  kReadable,         ///< readable as it says, never ready for writing
  kReadableWritable  ///< readable as it says, always ready for writing
};

class File {
 public:
  /// `name`: how /proc/self/fd shows it; a literal.
  File(const char* name, Pollable pollable) : name_(name), pollable_(pollable) {}
  virtual ~File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const char* name() const { return name_; }
  Pollable pollable() const { return pollable_; }
  bool readable() const { return readable_.load(std::memory_order_acquire); }
  /// By the table that the file is installed in first. Called at once if the file is readable.
  void set_listener(std::shared_ptr<ReadinessListener> listener) {
    const std::lock_guard guard(listener_lock_);
    listener_ = std::move(listener);
    if (listener_ && readable()) listener_->readable_changed(true);
  }

  /// pread and pwrite are allowed; without it they are ESPIPE, and the position below stays 0.
  virtual bool has_position() const { return false; }
  // `position` is that of the description, or of the call (pread); the file moves it if it counts positions.
  virtual std::int64_t read(Process& /*caller*/, std::uint64_t /*user_va*/, std::uint64_t /*bytes*/,
                            std::uint64_t& /*position*/) {
    return -EINVAL;
  }
  virtual std::int64_t write(Process& /*caller*/, std::uint64_t /*user_va*/, std::uint64_t /*bytes*/,
                             std::uint64_t& /*position*/) {
    return -EINVAL;
  }
  virtual std::int64_t ioctl(Process& /*caller*/, std::uint32_t /*command*/, std::uint64_t /*arg*/) { return -ENOTTY; }
  /// `prot` is a set of PROT_READ 1, PROT_WRITE 2, PROT_EXEC 4; `offset` and `bytes` are multiples of the page.
  virtual int mmap(Process& /*caller*/, std::uint64_t /*offset*/, std::uint64_t /*bytes*/, unsigned /*prot*/,
                   bool /*shared*/, MappedRegion& /*out*/) {
    return -ENODEV;
  }

  /// Not null: the file is a dma-buf, which lives as long as the file.
  virtual DmaBuf* dma_buf() { return nullptr; }

 protected:
  /// The file serialises its own calls of this, so that the last one tells the truth.
  void set_readable(bool readable) {
    const std::lock_guard guard(listener_lock_);
    if (readable_.exchange(readable, std::memory_order_acq_rel) == readable) return;
    if (listener_) listener_->readable_changed(readable);
  }

 private:
  const char* const name_;
  const Pollable pollable_;
  std::atomic<bool> readable_{false};
  std::mutex listener_lock_;  // a leaf; nothing waits under it
  std::shared_ptr<ReadinessListener> listener_;
};

/// The program's end of an eventfd that the kernel signals; stays usable when the program has closed its descriptor.
class EventSignal {
 public:
  virtual ~EventSignal() = default;
  virtual void signal() = 0;
};

/// A file whose pages can be pinned (a memfd). The errors of a file of another kind, and of pages beyond its end, come
/// at the pin. Thread-safe.
class MemoryFile {
 public:
  virtual ~MemoryFile() = default;
  /// 0, EINVAL (positive, as in Process): not a memory file, or `offset`, a multiple of the page, is beyond its end.
  virtual int pin_page(std::uint64_t offset, bool write, std::uint64_t& spa_out) = 0;
  virtual void unpin_page(std::uint64_t spa) = 0;
  /// Like Process::pin_pages().
  virtual int pin_pages(std::uint64_t offset, std::uint64_t count, bool write, std::uint64_t* spas,
                        std::uint64_t& pinned) {
    for (pinned = 0; pinned < count; ++pinned)
      if (const int error = pin_page(offset + pinned * 4096, write, spas[pinned])) return error;
    return 0;
  }
  virtual void unpin_pages(const std::uint64_t* spas, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) unpin_page(spas[i]);
  }
};

/// The descriptors of one process. Thread-safe. Functions return 0 or a negative errno.
class Files {
 public:
  virtual ~Files() = default;

  /// Takes the lowest free number for `file`; nothing finds it until publish(). Undone by cancel(). EMFILE, ENOMEM.
  virtual int reserve(std::shared_ptr<File> file, int& fd_out, bool close_on_exec = true) = 0;
  virtual void publish(int fd) = 0;
  virtual void cancel(int fd) = 0;

  /// EBADF: not open. 0 with an empty pointer: open, but not a file of this stack.
  virtual int find(int fd, std::shared_ptr<File>& out) = 0;
  /// EBADF: not open. EINVAL: not an eventfd.
  virtual int find_event(int fd, std::shared_ptr<EventSignal>& out) = 0;
  /// EBADF: not open.
  virtual int find_memory(int fd, std::shared_ptr<MemoryFile>& out) = 0;

  int install(std::shared_ptr<File> file, int& fd_out, bool close_on_exec = true) {
    const int error = reserve(std::move(file), fd_out, close_on_exec);
    if (error == 0) publish(fd_out);
    return error;
  }
};

}  // namespace iommusim::hal
