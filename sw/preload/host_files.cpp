// SPDX-License-Identifier: Apache-2.0
// Event files and memory files of the program.
#include "preload/host_files.h"

#include <cstdio>
#include <cstring>

#include "preload/hidden_fds.h"
#include "preload/system_calls.h"
#include "preload/user_pages.h"

namespace iommusim::preload {
namespace {

UserPages* file_pages = nullptr;

class HostEvent final : public hal::EventSignal {
 public:
  explicit HostEvent(int hidden) : fd_(hidden) {}
  ~HostEvent() override { close_hidden_fd(fd_); }
  void signal() override {
    const std::uint64_t one = 1;
    sys::write(fd_, &one, sizeof one);  // one that is full stays full: EAGAIN, or it would wait for the program
  }

 private:
  const int fd_;
};

class HostMemory final : public hal::MemoryFile {
 public:
  explicit HostMemory(int hidden) : fd_(hidden) {}
  ~HostMemory() override { close_hidden_fd(fd_); }
  int pin_page(std::uint64_t offset, bool write, std::uint64_t& spa_out) override {
    std::uint64_t pinned = 0;
    return pin_pages(offset, 1, write, &spa_out, pinned);
  }
  void unpin_page(std::uint64_t spa) override { file_pages->unpin(&spa, 1); }
  int pin_pages(std::uint64_t offset, std::uint64_t count, bool /*write*/, std::uint64_t* spas,
                std::uint64_t& pinned) override {
    pinned = 0;
    return fd_ < 0 ? EINVAL : file_pages->pin_file(fd_, offset, count, spas, pinned);
  }
  void unpin_pages(const std::uint64_t* spas, std::uint64_t count) override { file_pages->unpin(spas, count); }

 private:
  const int fd_;
};

bool is_eventfd(int fd) {
  char path[40], target[32] = {};
  std::snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return sys::call(SYS_readlinkat, AT_FDCWD, path, target, sizeof target - 1) > 0 &&
         std::strcmp(target, "anon_inode:[eventfd]") == 0;
}

}  // namespace

void set_file_pages(UserPages* pages) { file_pages = pages; }

int open_event(int fd, std::shared_ptr<hal::EventSignal>& out) {
  if (!is_eventfd(fd)) return -EINVAL;
  const int own = hide_fd(static_cast<int>(sys::call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 0)));
  if (own < 0) return own;
  out = std::make_shared<HostEvent>(own);
  return 0;
}

int open_memory(int fd, std::shared_ptr<hal::MemoryFile>& out) {
  const int own = fd < 0 ? -1 : hide_fd(static_cast<int>(sys::call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 0)));
  if (fd >= 0 && own < 0) return own;
  out = std::make_shared<HostMemory>(own);
  return 0;
}

}  // namespace iommusim::preload
