// SPDX-License-Identifier: Apache-2.0
// Which descriptors are the library's own: one flag a number.
#include "preload/hidden_fds.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>

#include "preload/system_calls.h"

namespace iommusim::preload {
namespace {

constexpr unsigned kMaxFd = 1 << 16;
std::atomic<bool> hidden[kMaxFd];

int first_hidden() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 3;
  const auto top = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, kMaxFd));
  return top > 256 ? top - top / 4 : 3;  // the last quarter
}

}  // namespace

int hide_fd(int fd) {
  if (fd < 0) return fd;
  const int moved = static_cast<int>(sys::call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, first_hidden()));
  sys::close(fd);
  if (moved >= static_cast<int>(kMaxFd)) {
    sys::close(moved);
    return -EMFILE;
  }
  if (moved >= 0) hidden[moved] = true;
  return moved;
}

bool is_hidden_fd(int fd) { return fd >= 0 && fd < static_cast<int>(kMaxFd) && hidden[fd]; }

int next_hidden_fd(unsigned first, unsigned last) {
  for (unsigned fd = first; fd <= last && fd < kMaxFd; ++fd)
    if (hidden[fd]) return static_cast<int>(fd);
  return -1;
}

void close_hidden_fd(int fd) {
  if (!is_hidden_fd(fd)) return;
  hidden[fd] = false;
  sys::close(fd);
}

}  // namespace iommusim::preload
