// SPDX-License-Identifier: Apache-2.0
// Packets with a descriptor.
#include "preload/lane.h"

#include <sys/socket.h>

#include <cstring>

#include "preload/system_calls.h"

namespace iommusim::preload {

bool lane_send(int socket, const LaneMessage& message, int fd) {
  iovec part{const_cast<LaneMessage*>(&message), sizeof message};
  alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int))] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (fd >= 0) {
    header.msg_control = room;
    header.msg_controllen = sizeof room;
    cmsghdr* const control = CMSG_FIRSTHDR(&header);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(control), &fd, sizeof fd);
  }
  for (;;) {
    const long sent = sys::call(SYS_sendmsg, socket, &header, MSG_NOSIGNAL);
    if (sent != -EINTR) return sent == static_cast<long>(sizeof message);
  }
}

bool lane_receive(int socket, LaneMessage& message, int* fd_out, bool cloexec) {
  iovec part{&message, sizeof message};
  alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int))] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = room;
  header.msg_controllen = sizeof room;
  if (fd_out) *fd_out = -1;
  for (;;) {
    const long got = sys::call(SYS_recvmsg, socket, &header, cloexec ? MSG_CMSG_CLOEXEC : 0);
    if (got == -EINTR) continue;
    if (got != static_cast<long>(sizeof message)) return false;
    break;
  }
  const cmsghdr* const control = CMSG_FIRSTHDR(&header);
  if (control && control->cmsg_type == SCM_RIGHTS && control->cmsg_len == CMSG_LEN(sizeof(int))) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(control), sizeof fd);
    if (fd_out)
      *fd_out = fd;
    else
      sys::close(fd);
  }
  return true;
}

}  // namespace iommusim::preload
