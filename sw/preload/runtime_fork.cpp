// SPDX-License-Identifier: Apache-2.0
// fork: the machine stays in the parent with everything that is open; the child gets its own copies of moved pages, as
// fork gives them, and a lane to the parent for its calls. The parent goes on when the child has made its copies.
// Before the first open of a node there is nothing to do, and each process gets a machine of its own later.
#include <sys/socket.h>

#include <map>

#include "preload/hidden_fds.h"
#include "preload/runtime.h"
#include "preload/system_calls.h"

namespace iommusim::preload {

void Runtime::before_fork() {
  start_lock_.lock();
  if (running_ || lane_) {
    int sockets[2] = {-1, -1};
    if (sys::call(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) == 0) {
      fork_sockets_[0] = hide_fd(sockets[0]);
      fork_sockets_[1] = hide_fd(sockets[1]);
    }
    for (auto& [fd, file] : descriptors_.all())
      if (running_) fork_files_[id_of(file)] = file;
    if (lane_) {  // the process of the machine serves the new one; it waits there for its hello
      LaneMessage message;
      message.op = LaneOp::kFork;
      lane_->call(message, fork_sockets_[0]);
    }
  }
  descriptors_.lock();
  mappings_.lock();
}

void Runtime::after_fork_in_parent() {
  mappings_.unlock();
  descriptors_.unlock();
  const int mine = fork_sockets_[0];
  close_hidden_fd(fork_sockets_[1]);
  fork_sockets_[0] = fork_sockets_[1] = -1;
  ChildFiles files;
  files.swap(fork_files_);
  if (running_ && mine >= 0) {
    starting_ = pthread_self();
    serve_child(*this, *running_, mine, std::move(files));
    starting_ = pthread_t{};
  } else {
    close_hidden_fd(mine);
  }
  start_lock_.unlock();
}

void Runtime::after_fork_in_child() {
  mappings_.unlock();
  descriptors_.unlock();
  if (running_ || lane_) {
    const RamFile& ram = running_ ? running_->ram : lane_->ram();
    make_private_copies(ram);
    close_hidden_fd(fork_sockets_[0]);
    if (lane_) close_hidden_fd(lane_->socket());
    auto* const lane = new ParentLane(fork_sockets_[1], descriptors_, ram);
    std::map<const OpenFile*, std::shared_ptr<OpenFile>> known;  // duplicates stay duplicates
    descriptors_.replace_all([&](const OpenFile& old) {
      std::shared_ptr<OpenFile>& file = known[&old];
      const std::uint64_t id = old.file ? reinterpret_cast<std::uint64_t>(&old) : old.remote;
      if (!file) file = lane->make_file(id, old.device_number);
      return file;
    });
    new ChildFiles(std::move(fork_files_));  // never released here: they are the parent's
    fork_files_.clear();
    fork_sockets_[0] = fork_sockets_[1] = -1;
    LaneMessage hello;
    hello.op = LaneOp::kHello;
    hello.a = static_cast<std::uint64_t>(sys::call(SYS_getpid));
    lane_send(lane->socket(), hello);
    lane_.release();
    lane_.reset(lane);
    running_ = nullptr;
  }
  start_lock_.unlock();
}

}  // namespace iommusim::preload
