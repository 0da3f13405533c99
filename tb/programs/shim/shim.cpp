// SPDX-License-Identifier: Apache-2.0
// System calls of a program that runs inside a test: what concerns /dev/iommu goes to a stack in this process, with the
// mock hardware of the test command; the rest to the real system. A descriptor of the stack occupies a real one, so
// numbers never collide.
#define IOMMUSIM_SHIM_ITSELF
#include "names.h"

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>

#include "hal/buddy_frames.h"
#include "hal/thread_os.h"
#include "host_process.h"
#include "iommufd/context_file.h"
#include "selftest/test_command.h"
#include "uapi/ioctls.h"

namespace iommusim::programs {
namespace {

constexpr std::uint64_t kFrameBytes = 64 << 20;

struct Description {
  std::shared_ptr<hal::File> file;
  std::uint64_t position = 0;
  bool published = false;
};

class ShimFiles final : public hal::Files {
 public:
  explicit ShimFiles(HostMemory& memory) : memory_(memory) {}

  int reserve(std::shared_ptr<hal::File> file, int& fd_out, bool close_on_exec) override {
    const int fd = ::open("/dev/null", O_RDWR | (close_on_exec ? O_CLOEXEC : 0));
    if (fd < 0) return -errno;
    auto description = std::make_shared<Description>();
    description->file = std::move(file);
    const std::lock_guard guard(lock_);
    open_[fd_out = fd] = std::move(description);
    return 0;
  }
  void publish(int fd) override {
    const std::lock_guard guard(lock_);
    open_.at(fd)->published = true;
  }
  void cancel(int fd) override { drop(fd); }
  int find(int fd, std::shared_ptr<hal::File>& out) override {
    if (::fcntl(fd, F_GETFD) < 0) return -EBADF;
    const auto description = get(fd);
    out = description ? description->file : nullptr;
    return 0;
  }
  int find_event(int, std::shared_ptr<hal::EventSignal>&) override { return -EINVAL; }
  int find_memory(int fd, std::shared_ptr<hal::MemoryFile>& out) override {
    const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return -EBADF;
    out = std::make_shared<HostMemoryFile>(memory_, copy);
    return 0;
  }

  std::shared_ptr<Description> get(int fd) {
    const std::lock_guard guard(lock_);
    const auto at = open_.find(fd);
    return at == open_.end() || !at->second->published ? nullptr : at->second;
  }
  void drop(int fd) {
    std::shared_ptr<Description> last;  // released without the lock
    {
      const std::lock_guard guard(lock_);
      last = std::move(open_.at(fd));
      open_.erase(fd);
    }
    ::close(fd);
  }
  int dup(int fd) {
    const int copy = ::dup(fd);
    if (copy < 0) return -errno;
    const std::lock_guard guard(lock_);
    open_[copy] = open_.at(fd);
    return copy;
  }

 private:
  HostMemory& memory_;
  std::mutex lock_;
  std::map<int, std::shared_ptr<Description>> open_;
};

struct Machine {
  Machine() {
    auto* const area = ::mmap(nullptr, 2 * kFrameBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const auto start = (reinterpret_cast<std::uint64_t>(area) + kFrameBytes - 1) / kFrameBytes * kFrameBytes;
    frames = std::make_unique<hal::BuddyFrames>(os, memory, start, kFrameBytes);
    command = selftest::TestCommand::make(os, memory, *frames);
    host.extra = command.get();
  }
  hal::ThreadOs os;
  HostMemory memory;
  std::unique_ptr<hal::BuddyFrames> frames;
  std::unique_ptr<selftest::TestCommand> command;
  iommufd::Host host{os, memory};
  ShimFiles files{memory};
  HostProcess process{memory, files};
  std::map<void*, std::shared_ptr<void>> mapped;  // regions of files of the stack
};

// Never destroyed: a program that exits leaves its descriptors open, as it would in reality.
Machine& machine() {
  static auto* const only = new Machine;
  return *only;
}

/// What a system call returns: a result, or -1 and errno.
template <class Result>
Result answer(Result result) {
  if (result >= 0) return result;
  errno = static_cast<int>(-result);
  return -1;
}

std::uint64_t address_of(const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); }

short ready_events(const hal::File& file) {
  const short in = file.readable() ? POLLIN : 0;
  switch (file.pollable()) {
    case hal::Pollable::kAlways:
      return POLLIN | POLLOUT;
    case hal::Pollable::kReadable:
      return in;
    case hal::Pollable::kReadableWritable:
      return static_cast<short>(in | POLLOUT);
  }
  return 0;
}

int look(pollfd* fds, nfds_t count) {
  int ready = 0;
  for (nfds_t i = 0; i < count; ++i) {
    if (const auto description = machine().files.get(fds[i].fd))
      fds[i].revents = static_cast<short>(ready_events(*description->file) & fds[i].events);
    else
      ::poll(&fds[i], 1, 0);
    ready += fds[i].revents != 0 ? 1 : 0;
  }
  return ready;
}

}  // namespace
}  // namespace iommusim::programs

using iommusim::programs::answer;
using iommusim::programs::machine;

extern "C" {

int shim_open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const int mode = va_arg(arguments, int);
  va_end(arguments);
  if (std::strcmp(path, "/dev/iommu") != 0) return ::open(path, flags, mode);
  auto context = iommusim::iommufd::Context::open(machine().host);
  int fd = -1;
  const int error = machine().files.install(
      std::make_shared<iommusim::iommufd::ContextFile>("/dev/iommu", std::move(context)), fd, (flags & O_CLOEXEC) != 0);
  return answer(error ? error : fd);
}

int shim_close(int fd) {
  if (!machine().files.get(fd)) return ::close(fd);
  machine().files.drop(fd);
  return 0;
}

int shim_dup(int fd) { return machine().files.get(fd) ? answer(machine().files.dup(fd)) : ::dup(fd); }

int shim_ioctl(int fd, unsigned long command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  const auto description = machine().files.get(fd);
  if (!description) return ::ioctl(fd, command, argument);
  return answer(static_cast<int>(description->file->ioctl(machine().process, static_cast<std::uint32_t>(command),
                                                          iommusim::programs::address_of(argument))));
}

ssize_t shim_read(int fd, void* to, size_t bytes) {
  const auto at = machine().files.get(fd);
  if (!at) return ::read(fd, to, bytes);
  return answer(at->file->read(machine().process, iommusim::programs::address_of(to), bytes, at->position));
}

ssize_t shim_write(int fd, const void* from, size_t bytes) {
  const auto at = machine().files.get(fd);
  if (!at) return ::write(fd, from, bytes);
  return answer(at->file->write(machine().process, iommusim::programs::address_of(from), bytes, at->position));
}

ssize_t shim_pread(int fd, void* to, size_t bytes, off_t position) {
  const auto at = machine().files.get(fd);
  if (!at) return ::pread(fd, to, bytes, position);
  if (!at->file->has_position()) return answer(static_cast<ssize_t>(-ESPIPE));
  auto from = static_cast<std::uint64_t>(position);
  return answer(at->file->read(machine().process, iommusim::programs::address_of(to), bytes, from));
}

ssize_t shim_pwrite(int fd, const void* from, size_t bytes, off_t position) {
  const auto at = machine().files.get(fd);
  if (!at) return ::pwrite(fd, from, bytes, position);
  if (!at->file->has_position()) return answer(static_cast<ssize_t>(-ESPIPE));
  auto to = static_cast<std::uint64_t>(position);
  return answer(at->file->write(machine().process, iommusim::programs::address_of(from), bytes, to));
}

void* shim_mmap(void* at, size_t bytes, int prot, int flags, int fd, off_t offset) {
  const auto description = (flags & MAP_ANONYMOUS) != 0 ? nullptr : machine().files.get(fd);
  if (!description) return ::mmap(at, bytes, prot, flags, fd, offset);
  iommusim::hal::MappedRegion region;
  const std::uint64_t rounded = (bytes + 4095) / 4096 * 4096;
  const int error = description->file->mmap(machine().process, static_cast<std::uint64_t>(offset), rounded,
                                            static_cast<unsigned>(prot), (flags & MAP_SHARED) != 0, region);
  if (error) {
    errno = -error;
    return MAP_FAILED;
  }
  void* const address = reinterpret_cast<void*>(region.spa);  // a frame is an address of this process
  machine().mapped[address] = std::move(region.hold);
  return address;
}

int shim_munmap(void* at, size_t bytes) { return machine().mapped.erase(at) != 0 ? 0 : ::munmap(at, bytes); }

int shim_poll(struct pollfd* fds, nfds_t count, int timeout_ms) {
  for (int waited = 0;; ++waited) {
    const int ready = iommusim::programs::look(fds, count);
    if (ready != 0 || (timeout_ms >= 0 && waited >= timeout_ms)) return ready;
    ::usleep(1000);
  }
}

}  // extern "C"
