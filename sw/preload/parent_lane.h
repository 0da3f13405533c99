// SPDX-License-Identifier: Apache-2.0
// The side of a child of fork: its calls into files go to the process that has the machine. One call at a time; while
// it waits it serves what the other side asks back.
#pragma once

#include <memory>
#include <mutex>

#include "preload/descriptors.h"
#include "preload/lane.h"
#include "preload/ram_file.h"

namespace iommusim::preload {

class ParentLane {
 public:
  ParentLane(int socket, Descriptors& descriptors, const RamFile& ram)
      : socket_(socket), descriptors_(descriptors), ram_(ram) {}

  /// The result; -ENODEV when the other process has ended.
  std::int64_t call(LaneMessage& message, int fd = -1);
  /// A file that the other side knows by `id`; the last copy of it closes it there.
  std::shared_ptr<OpenFile> make_file(std::uint64_t id, std::uint64_t device_number);
  int socket() const { return socket_; }
  const RamFile& ram() const { return ram_; }

 private:
  void serve(LaneMessage& message, int& fd);
  std::int64_t move(const LaneMessage& message);

  const int socket_;
  Descriptors& descriptors_;
  const RamFile& ram_;
  std::mutex lock_;  // held for a whole call
};

}  // namespace iommusim::preload
