// SPDX-License-Identifier: Apache-2.0
#include "drivers/riscv/device_atc.h"

#include <mutex>

namespace iommusim::drivers::riscv {

DeviceAtc::DeviceAtc(hal::Os& os, CommandQueue& commands, const std::vector<std::uint32_t>& device_ids, unsigned depth)
    : commands_(commands),
      device_ids_(device_ids),
      depth_(depth),
      lock_(os.make_mutex()),
      room_(os.make_wait_queue()) {}

int DeviceAtc::submit(std::uint64_t start, std::uint64_t last, Process process) {
  const auto command = [&](std::uint32_t id) {
    if (!process) return ats_inval(id, start, last);
    return *process == kEveryProcess ? ats_inval_of_every_process(id, start, last)
                                     : ats_inval_of_process(id, *process, start, last);
  };
  for (const std::uint32_t id : device_ids_)
    if (const int error = commands_.submit(command(id))) return error;
  return 0;
}

DeviceAtc::Begun DeviceAtc::begin(std::uint64_t start, std::uint64_t last, Process process) {
  {
    std::unique_lock guard(*lock_);
    while (in_flight_ == depth_) room_->wait(*lock_);
    ++in_flight_;
  }
  Begun begun;
  begun.time_outs = commands_.time_outs();
  begun.error = submit(start, last, process);
  return begun;
}

bool DeviceAtc::end(const Begun& begun) {
  const std::unique_lock guard(*lock_);
  --in_flight_;
  room_->wake_all();
  return commands_.time_outs() == begun.time_outs;
}

bool DeviceAtc::again(std::uint64_t start, std::uint64_t last, Process process) {
  for (unsigned tries = 0; tries < kTries; ++tries) {
    const Begun begun = begin(start, last, process);
    const int error = begun.error != 0 ? begun.error : commands_.fence();
    if (end(begun) && error == 0) return true;
    if (error != 0) break;
  }
  lost_ = true;
  return false;
}

}  // namespace iommusim::drivers::riscv
