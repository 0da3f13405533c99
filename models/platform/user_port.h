// SPDX-License-Identifier: Apache-2.0
// Memory and mappings of a driver that is a user program: IOAS_MAP and IOAS_UNMAP at IOVAs of its own choice. It has
// one argument page, so its threads take turns. IOVAs are handed out again in the order in which they came free.
#pragma once

#include <deque>
#include <map>
#include <memory>

#include "drivers/rings/buffer_port.h"
#include "platform/user_program.h"

namespace iommusim::platform {

class UserPort final : public drivers::rings::BufferPort {
 public:
  /// The driver's memory is [buffer, buffer + bytes) of the program's buffers, and it uses `spread` times as much IOVA
  /// space from `iova` on.
  UserPort(hal::Os& os, hal::Memory& memory, UserProgram& program, std::uint32_t ioas, std::uint64_t buffer,
           std::uint64_t iova, std::uint32_t spread)
      : lock_(os.make_mutex()),
        memory_(memory),
        program_(program),
        ioas_(ioas),
        buffer_(buffer),
        first_page_(iova / 4096),
        spread_(spread) {}

  void read(std::uint64_t offset, void* out, std::size_t bytes) override;
  void write(std::uint64_t offset, const void* in, std::size_t bytes) override;
  int map(std::uint64_t offset, std::uint64_t bytes, unsigned prot, unsigned cpu, std::uint64_t& iova_out) override;
  void unmap(std::uint64_t iova, std::uint64_t bytes, unsigned cpu) override;

 private:
  std::uint64_t spa_of(std::uint64_t offset) const;
  std::uint64_t take_iova(std::uint64_t pages);

  std::unique_ptr<hal::Mutex> lock_;  // guards the program and what follows
  hal::Memory& memory_;
  UserProgram& program_;
  const std::uint32_t ioas_;
  const std::uint64_t buffer_;
  const std::uint64_t first_page_;
  const std::uint32_t spread_;
  std::uint64_t used_pages_ = 0;
  std::map<std::uint64_t, std::deque<std::uint64_t>> free_;  // IOVAs by pages
};

}  // namespace iommusim::platform
