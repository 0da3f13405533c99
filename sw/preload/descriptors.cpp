// SPDX-License-Identifier: Apache-2.0
// The table, and what stands behind a descriptor.
#include "preload/descriptors.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include <cstdio>
#include <cstring>

#include "hal/contradiction.h"
#include "preload/hidden_fds.h"
#include "preload/host_files.h"
#include "preload/system_calls.h"

namespace iommusim::preload {
namespace {

// An eventfd that is readable while the file is. Lives as long as the file, whatever the program closes.
class EventBacking final : public hal::ReadinessListener {
 public:
  explicit EventBacking(int hidden) : fd_(hidden) {}
  ~EventBacking() override { close_hidden_fd(fd_); }
  void readable_changed(bool readable) override {
    std::uint64_t one = 1;
    if (readable)
      sys::write(fd_, &one, sizeof one);
    else
      sys::read(fd_, &one, sizeof one);
  }

 private:
  const int fd_;
};

}  // namespace

int make_backing(hal::File& file, bool close_on_exec) {
  if (file.pollable() == hal::Pollable::kAlways) {
    char name[64];
    const char* const colon = std::strrchr(file.name(), ':');
    std::snprintf(name, sizeof name, "%s", colon ? colon + 1 : file.name());
    return static_cast<int>(sys::call(SYS_memfd_create, name, close_on_exec ? MFD_CLOEXEC : 0U));
  }
  const int flags = EFD_NONBLOCK | (close_on_exec ? EFD_CLOEXEC : 0);
  if (file.pollable() == hal::Pollable::kReadableWritable) {
    const int fd = static_cast<int>(sys::call(SYS_eventfd2, 0U, flags));
    if (fd < 0) return fd;
    const int hidden = hide_fd(static_cast<int>(sys::call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 0)));
    if (hidden < 0) return sys::close(fd), hidden;
    file.set_listener(std::make_shared<EventBacking>(hidden));
    return fd;
  }
  // An eventfd is always ready for writing; an epoll that watches it never is.
  const int fd = static_cast<int>(sys::call(SYS_epoll_create1, close_on_exec ? EPOLL_CLOEXEC : 0));
  if (fd < 0) return fd;
  const int hidden = hide_fd(static_cast<int>(sys::call(SYS_eventfd2, 0U, EFD_NONBLOCK | EFD_CLOEXEC)));
  epoll_event readable{};
  readable.events = EPOLLIN;
  if (hidden < 0 || sys::call(SYS_epoll_ctl, fd, EPOLL_CTL_ADD, hidden, &readable) != 0) {
    sys::close(fd);
    close_hidden_fd(hidden);
    return hidden < 0 ? hidden : -ENOMEM;
  }
  file.set_listener(std::make_shared<EventBacking>(hidden));
  return fd;
}

int Descriptors::reserve(std::shared_ptr<hal::File> file, int& fd_out, bool close_on_exec) {
  const int fd = make_backing(*file, close_on_exec);
  if (fd < 0) return fd;
  if (fd >= kMaxFd) return sys::close(fd), -EMFILE;
  auto open = std::make_shared<OpenFile>();
  open->file = std::move(file);
  add(fd, std::move(open));
  const std::lock_guard guard(lock_);
  slots_[static_cast<std::size_t>(fd)].published = false;
  ours_[fd] = false;
  fd_out = fd;
  return 0;
}

void Descriptors::publish(int fd) {
  const std::lock_guard guard(lock_);
  slots_.at(static_cast<std::size_t>(fd)).published = true;
  ours_[fd] = true;
}

void Descriptors::cancel(int fd) {
  const auto last = remove_if(fd, false);
  hal::ensure(last != nullptr, "a descriptor is given back that programs can see");
  sys::close(fd);
}

int Descriptors::find(int fd, std::shared_ptr<hal::File>& out) {
  out = nullptr;
  if (const auto open = get(fd)) {
    out = open->file;
    return 0;
  }
  return is_hidden_fd(fd) || sys::call(SYS_fcntl, fd, F_GETFD) < 0 ? -EBADF : 0;
}

int Descriptors::find_event(int fd, std::shared_ptr<hal::EventSignal>& out) {
  std::shared_ptr<hal::File> file;
  if (const int error = find(fd, file)) return error;
  return file ? -EINVAL : open_event(fd, out);
}

int Descriptors::find_memory(int fd, std::shared_ptr<hal::MemoryFile>& out) {
  std::shared_ptr<hal::File> file;
  if (const int error = find(fd, file)) return error;
  out = std::dynamic_pointer_cast<hal::MemoryFile>(file);
  return out ? 0 : open_memory(file ? -1 : fd, out);
}

std::shared_ptr<OpenFile> Descriptors::get(int fd) {
  if (!may_be_ours(fd)) return nullptr;
  const std::lock_guard guard(lock_);
  const Slot& slot = slots_[static_cast<std::size_t>(fd)];
  return slot.published ? slot.file : nullptr;
}

void Descriptors::add(int fd, std::shared_ptr<OpenFile> file) {
  Slot stale;  // released without the lock
  const std::lock_guard guard(lock_);
  if (slots_.size() <= static_cast<std::size_t>(fd)) slots_.resize(static_cast<std::size_t>(fd) + 1);
  stale = std::exchange(slots_[static_cast<std::size_t>(fd)], Slot{std::move(file), true});
  ours_[fd] = true;
}

std::shared_ptr<OpenFile> Descriptors::remove_if(int fd, bool published) {
  const std::lock_guard guard(lock_);
  if (fd < 0 || static_cast<std::size_t>(fd) >= slots_.size()) return nullptr;
  Slot& slot = slots_[static_cast<std::size_t>(fd)];
  if (!slot.file || slot.published != published) return nullptr;
  ours_[fd] = false;
  slot.published = false;
  return std::exchange(slot.file, nullptr);
}

std::shared_ptr<OpenFile> Descriptors::remove(int fd) { return may_be_ours(fd) ? remove_if(fd, true) : nullptr; }

void Descriptors::duplicated(int from, int to) {
  if (from == to) return;
  const auto replaced = remove(to);  // dup2 closed it
  if (auto file = get(from)) add(to, std::move(file));
}

std::vector<std::pair<int, std::shared_ptr<OpenFile>>> Descriptors::all() {
  const std::lock_guard guard(lock_);
  std::vector<std::pair<int, std::shared_ptr<OpenFile>>> result;
  for (std::size_t fd = 0; fd < slots_.size(); ++fd)
    if (slots_[fd].published) result.emplace_back(static_cast<int>(fd), slots_[fd].file);
  return result;
}

}  // namespace iommusim::preload
