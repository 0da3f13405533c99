// SPDX-License-Identifier: Apache-2.0
// Serving a child. Its memory is copied through the kernel; its private pages are moved by the child itself, at our
// request while it waits for our answer. A page that is first needed at another time (its mapping gets a device later,
// by another process) cannot be moved: EFAULT.
#include "preload/child_server.h"

#include <sys/mman.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <thread>

#include "preload/hidden_fds.h"
#include "preload/host_files.h"
#include "preload/lane.h"
#include "preload/runtime.h"
#include "preload/system_calls.h"

namespace iommusim::preload {
namespace {

class ChildServer;

class ChildSpace final : public AddressSpace {
 public:
  ChildSpace(ChildServer& server, int pid) : server_(server), reader_(pid) {}
  bool find(std::uint64_t va, Vma& out) override { return reader_.find(va, out); }
  int populate(std::uint64_t va, std::uint64_t bytes, bool write) override;
  int adopt(std::uint64_t va, std::uint64_t bytes, int prot, std::uint64_t spa) override;
  int share(const Vma& vma, std::uint64_t va, std::uint64_t bytes, std::uint64_t spa) override;
  void for_each(const std::function<void(const Vma&)>& visit) override { reader_.for_each(visit); }

 private:
  ChildServer& server_;
  VmaReader reader_;
};

class ChildDescriptors final : public hal::Files {
 public:
  explicit ChildDescriptors(ChildServer& server) : server_(server) {}
  int reserve(std::shared_ptr<hal::File> file, int& fd_out, bool close_on_exec) override;
  void publish(int) override {}  // the child learns its number with the answer
  void cancel(int fd) override;
  int find(int fd, std::shared_ptr<hal::File>& out) override;
  int find_event(int fd, std::shared_ptr<hal::EventSignal>& out) override;
  int find_memory(int fd, std::shared_ptr<hal::MemoryFile>& out) override;

 private:
  int look_up(int fd, std::shared_ptr<hal::File>& out, int& foreign);

  ChildServer& server_;
};

// Never destroyed: mappings that the child made name it for as long as they live.
class ChildServer final : public hal::Process {
 public:
  ChildServer(Runtime& runtime, Running& running, int socket, int pid, ChildFiles files)
      : runtime_(runtime),
        running_(running),
        socket_(socket),
        pid_(pid),
        files_(std::move(files)),
        space_(*this, pid),
        descriptors_(*this) {}

  void serve();
  /// Asks the child back; only while it waits for us, that is, in its own calls.
  bool ask(LaneMessage& message, int fd = -1, int* fd_out = nullptr) {
    if (std::this_thread::get_id() != serving_.load()) return false;
    if (!lane_send(socket_, message, fd)) return false;
    while (lane_receive(socket_, message, fd_out))
      if (message.op == LaneOp::kAnswer)
        return true;
      else
        files_.erase(message.id);  // another thread of the child closed something meanwhile
    return false;
  }
  ChildFiles& open_files() { return files_; }
  hal::Files* files() override { return &descriptors_; }
  Running& running() { return running_; }
  int pid() const { return pid_; }

  int copy_from_user(void* to, std::uint64_t va, std::size_t bytes) override {
    return copy_from_process(pid_, to, va, bytes);
  }
  int copy_to_user(std::uint64_t va, const void* from, std::size_t bytes) override {
    return copy_to_process(pid_, va, from, bytes);
  }
  int pin_page(std::uint64_t va, bool write, std::uint64_t& spa_out) override {
    std::uint64_t pinned = 0;
    return pin_pages(va, 1, write, &spa_out, pinned);
  }
  void unpin_page(std::uint64_t spa) override { running_.pages.unpin(&spa, 1); }
  int pin_pages(std::uint64_t va, std::uint64_t count, bool write, std::uint64_t* spas,
                std::uint64_t& pinned) override {
    return running_.pages.pin(space_, va, count, write, spas, pinned);
  }
  void unpin_pages(const std::uint64_t* spas, std::uint64_t count) override { running_.pages.unpin(spas, count); }
  int pins_of_page(std::uint64_t va, std::uint64_t& pins) override { return running_.pages.pins_of(space_, va, pins); }
  int charge_locked(std::uint64_t pages, hal::LockedAccount account) override {
    return charge(account_, pid_, pages, account);
  }
  void uncharge_locked(std::uint64_t pages, hal::LockedAccount account) override { uncharge(account_, pages, account); }
  bool capable(hal::ProcessCapability capability) const override { return has_capability(pid_, capability); }
  const void* user_identity() const override { return &running_.pages; }

 private:
  std::int64_t answer(const LaneMessage& message, int fd, std::uint64_t& id);

  Runtime& runtime_;
  Running& running_;
  const int socket_;
  const int pid_;
  ChildFiles files_;
  ChildSpace space_;
  ChildDescriptors descriptors_;
  MmAccount account_;
  std::atomic<std::thread::id> serving_{};
};

int ChildSpace::populate(std::uint64_t va, std::uint64_t bytes, bool) {
  for (std::uint64_t at = va; at < va + bytes; at += 4096) {
    char byte = 0;
    if (copy_from_process(server_.pid(), &byte, at, 1) != 0) return EFAULT;
  }
  return 0;
}

int ChildSpace::adopt(std::uint64_t va, std::uint64_t bytes, int prot, std::uint64_t spa) {
  LaneMessage message;
  message.op = LaneOp::kMove;
  message.command = static_cast<std::uint32_t>(prot);
  message.a = va, message.b = bytes, message.c = spa;
  return server_.ask(message) ? static_cast<int>(message.result) : EFAULT;
}

int ChildSpace::share(const Vma& vma, std::uint64_t va, std::uint64_t bytes, std::uint64_t spa) {
  char path[80];
  std::snprintf(path, sizeof path, "/proc/%d/map_files/%lx-%lx", server_.pid(), static_cast<unsigned long>(vma.start),
                static_cast<unsigned long>(vma.end));
  const int fd = sys::open(path, (vma.prot & PROT_WRITE) ? O_RDWR | O_CLOEXEC : O_RDONLY | O_CLOEXEC);
  if (fd < 0) return EFAULT;
  const int prot = vma.prot & (PROT_READ | PROT_WRITE);
  void* const window = server_.running().ram.ram().base + spa;
  const long error = sys::map(window, bytes, prot, MAP_SHARED | MAP_FIXED, fd, vma.offset + (va - vma.start));
  sys::close(fd);
  if (error == 0) sys::call(SYS_madvise, window, bytes, MADV_DONTFORK);
  return error == 0 ? 0 : EFAULT;
}

int ChildDescriptors::reserve(std::shared_ptr<hal::File> file, int& fd_out, bool close_on_exec) {
  const int backing = make_backing(*file, true);
  if (backing < 0) return backing;
  auto open = std::make_shared<OpenFile>();
  open->file = std::move(file);
  LaneMessage message;
  message.op = LaneOp::kInstall;
  message.id = id_of(open);
  message.a = close_on_exec;
  const bool asked = server_.ask(message, backing);
  sys::close(backing);
  if (!asked) return -EMFILE;
  if (message.result < 0) return static_cast<int>(message.result);
  server_.open_files()[id_of(open)] = open;
  fd_out = static_cast<int>(message.result);
  return 0;
}

void ChildDescriptors::cancel(int fd) {
  LaneMessage message;
  message.op = LaneOp::kCancel;
  message.a = static_cast<std::uint64_t>(fd);
  server_.ask(message);  // which closes it
}

int ChildDescriptors::look_up(int fd, std::shared_ptr<hal::File>& out, int& foreign) {
  LaneMessage message;
  message.op = LaneOp::kFind;
  message.a = static_cast<std::uint64_t>(fd);
  if (!server_.ask(message, -1, &foreign)) return -EBADF;
  if (message.result != 0) return static_cast<int>(message.result);
  const auto known = server_.open_files().find(message.id);
  out = known == server_.open_files().end() ? nullptr : known->second->file;
  return 0;
}

int ChildDescriptors::find(int fd, std::shared_ptr<hal::File>& out) {
  int foreign = -1;
  const int error = look_up(fd, out, foreign);
  if (foreign >= 0) sys::close(foreign);
  return error;
}

int ChildDescriptors::find_event(int fd, std::shared_ptr<hal::EventSignal>& out) {
  std::shared_ptr<hal::File> file;
  int foreign = -1;
  int error = look_up(fd, file, foreign);
  if (!error) error = foreign < 0 ? -EINVAL : open_event(foreign, out);
  if (foreign >= 0) sys::close(foreign);
  return error;
}

int ChildDescriptors::find_memory(int fd, std::shared_ptr<hal::MemoryFile>& out) {
  std::shared_ptr<hal::File> file;
  int foreign = -1;
  int error = look_up(fd, file, foreign);
  out = std::dynamic_pointer_cast<hal::MemoryFile>(file);
  if (!error && !out) error = open_memory(foreign, out);
  if (foreign >= 0) sys::close(foreign);
  return error;
}

std::int64_t ChildServer::answer(const LaneMessage& message, int fd, std::uint64_t& id) {
  if (message.op == LaneOp::kFork) {
    // Its hello comes after the fork, which waits for this answer.
    std::thread([this, socket = hide_fd(fd), files = files_] {
      serve_child(runtime_, running_, socket, files);
    }).detach();
    return 0;
  }
  if (message.op == LaneOp::kOpen) {
    auto open = std::make_shared<OpenFile>();
    const std::int64_t error = runtime_.open_node(message.a, *open);
    if (error == 0) files_[id = id_of(open)] = open;
    return error;
  }
  const auto known = files_.find(message.id);
  if (known == files_.end()) return -EBADF;
  const std::shared_ptr<OpenFile> open = known->second;
  const std::uint64_t* const position = message.c == LaneMessage::kNoPosition ? nullptr : &message.c;
  switch (message.op) {
    case LaneOp::kIoctl:
      return runtime_.ioctl(*this, *open, message.command, message.a);
    case LaneOp::kRead:
      return runtime_.read(*this, *open, message.a, message.b, position);
    case LaneOp::kWrite:
      return runtime_.write(*this, *open, message.a, message.b, position);
    default:
      return -ENOSYS;
  }
}

void ChildServer::serve() {
  serving_ = std::this_thread::get_id();
  LaneMessage message;
  for (int fd = -1; lane_receive(socket_, message, &fd);) {
    if (message.op == LaneOp::kClose) {
      files_.erase(message.id);
      continue;
    }
    LaneMessage reply;
    reply.result = answer(message, fd, reply.id);
    if (!lane_send(socket_, reply)) break;
  }
  serving_ = std::thread::id();
  running_.pages.forget(space_);
  ChildFiles().swap(files_);
  close_hidden_fd(socket_);
}

}  // namespace

bool serve_child(Runtime& runtime, Running& running, int socket, ChildFiles files) {
  LaneMessage hello;
  if (!lane_receive(socket, hello) || hello.op != LaneOp::kHello) {
    close_hidden_fd(socket);
    return false;
  }
  auto* const server = new ChildServer(runtime, running, socket, static_cast<int>(hello.a), std::move(files));
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([server] { server->serve(); }).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return true;
}

}  // namespace iommusim::preload
