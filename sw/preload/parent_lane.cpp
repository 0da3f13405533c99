// SPDX-License-Identifier: Apache-2.0
// Calls of a child, and what it is asked meanwhile.
#include "preload/parent_lane.h"

#include <sys/mman.h>

#include <utility>

#include "preload/hidden_fds.h"
#include "preload/system_calls.h"

namespace iommusim::preload {

std::int64_t ParentLane::call(LaneMessage& message, int fd) {
  const std::lock_guard guard(lock_);
  if (!lane_send(socket_, message, fd)) return -ENODEV;
  for (;;) {
    int received = -1;
    if (!lane_receive(socket_, message, &received)) return -ENODEV;
    if (message.op == LaneOp::kAnswer) return message.result;
    int sent = received;
    serve(message, sent);
    message.op = LaneOp::kAnswer;
    const bool done = lane_send(socket_, message, sent);
    if (sent >= 0) sys::close(sent);
    if (!done) return -ENODEV;
  }
}

// `fd`: what came with the question; on return what goes with the answer and is closed then.
void ParentLane::serve(LaneMessage& message, int& fd) {
  switch (message.op) {
    case LaneOp::kInstall: {
      const int number = std::exchange(fd, -1);
      message.result = number < 0 ? -EMFILE : number;
      if (number < 0) return;
      if (!message.a) sys::call(SYS_fcntl, number, F_SETFD, 0);
      descriptors_.add(number, make_file(message.id, 0));
      return;
    }
    case LaneOp::kCancel: {
      const auto number = static_cast<int>(message.a);
      descriptors_.remove(number);
      sys::close(number);
      return;
    }
    case LaneOp::kFind: {
      const auto number = static_cast<int>(message.a);
      const auto file = descriptors_.get(number);
      message.id = file ? file->remote : 0;
      message.result = 0;
      if (file) return;
      fd = is_hidden_fd(number) ? -1 : static_cast<int>(sys::call(SYS_fcntl, number, F_DUPFD_CLOEXEC, 0));
      if (fd < 0) message.result = -EBADF, fd = -1;
      return;
    }
    case LaneOp::kMove:
      message.result = move(message);
      return;
    default:
      message.result = ENOSYS;
  }
}

std::int64_t ParentLane::move(const LaneMessage& message) {
  const auto prot = static_cast<int>(message.command);
  if (sys::call(SYS_pwrite64, ram_.fd(), message.a, message.b, message.c) != static_cast<long>(message.b))
    return EFAULT;
  return sys::map(reinterpret_cast<void*>(message.a), message.b, prot, MAP_SHARED | MAP_FIXED, ram_.fd(), message.c) ==
                 0
             ? 0
             : ENOMEM;
}

std::shared_ptr<OpenFile> ParentLane::make_file(std::uint64_t id, std::uint64_t device_number) {
  auto file = std::make_shared<OpenFile>();
  file->remote = id;
  file->device_number = device_number;
  const int pid = static_cast<int>(sys::call(SYS_getpid));
  file->hold = std::shared_ptr<void>(nullptr, [this, id, pid](void*) {
    if (static_cast<int>(sys::call(SYS_getpid)) != pid) return;  // of a child of this one, which has a lane of its own
    LaneMessage message;
    message.op = LaneOp::kClose;
    message.id = id;
    lane_send(socket_, message);
  });
  return file;
}

}  // namespace iommusim::preload
