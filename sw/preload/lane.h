// SPDX-License-Identifier: Apache-2.0
// The wire between a child of fork and the process that has the machine: the child asks, and while it waits the other
// side may ask back (to install a descriptor in the child, to look one up, to move a page). One message is one packet;
// a descriptor may travel with it.
#pragma once

#include <cstdint>

namespace iommusim::preload {

enum class LaneOp : std::uint32_t {
  // From the child.
  kHello,   ///< a: pid. No answer
  kOpen,    ///< a: index of the node
  kClose,   ///< id. No answer
  kIoctl,   ///< id, command, a: argument
  kRead,    ///< id, a: address, b: bytes, c: position or kNoPosition
  kWrite,   ///< the same
  kFork,    ///< with a descriptor: the lane of a child of the child
  kAnswer,  ///< to the child: result, id. To the server, when it asked back: result, id
  // Questions to a child that waits.
  kInstall,  ///< with a descriptor: id of the file, a: close on exec. Answer: its number
  kCancel,   ///< a: number. Answer
  kFind,     ///< a: number. Answer: 0 and the id, or 0 and a descriptor, or -EBADF
  kMove,     ///< a: address, b: bytes, c: place in memory, command: rights. Answer: 0 or an errno
};

struct LaneMessage {
  static constexpr std::uint64_t kNoPosition = ~0ULL;
  LaneOp op = LaneOp::kAnswer;
  std::uint32_t command = 0;
  std::int64_t result = 0;
  std::uint64_t id = 0, a = 0, b = 0, c = 0;
};

/// False: the other side is gone. `fd` -1: none; it stays the caller's.
bool lane_send(int socket, const LaneMessage& message, int fd = -1);
/// `fd_out`, if not null, gets the descriptor (close on exec as `cloexec` says) or -1: none came, or no number is free.
bool lane_receive(int socket, LaneMessage& message, int* fd_out = nullptr, bool cloexec = true);

}  // namespace iommusim::preload
