// SPDX-License-Identifier: Apache-2.0
#include "platform/user_port.h"

#include <mutex>

#include "base/error.h"
#include "platform/address_map.h"

namespace iommusim::platform {

std::uint64_t UserPort::spa_of(std::uint64_t offset) const { return program_.buffers() + buffer_ + offset; }

void UserPort::read(std::uint64_t offset, void* out, std::size_t bytes) { memory_.read(spa_of(offset), out, bytes); }

void UserPort::write(std::uint64_t offset, const void* in, std::size_t bytes) {
  memory_.write(spa_of(offset), in, bytes);
}

/// A mapping of n pages is followed by n x (spread - 1) pages that stay empty.
std::uint64_t UserPort::take_iova(std::uint64_t pages) {
  std::deque<std::uint64_t>& free = free_[pages];
  if (free.empty()) {
    free.push_back((first_page_ + used_pages_) * 4096);
    used_pages_ += pages * spread_;
  }
  const std::uint64_t iova = free.front();
  free.pop_front();
  return iova;
}

int UserPort::map(std::uint64_t offset, std::uint64_t bytes, unsigned, unsigned, std::uint64_t& iova_out) {
  const std::unique_lock<hal::Mutex> guard(*lock_);
  iova_out = take_iova(bytes / 4096);
  const int error = -program_.ioas_map(ioas_, iova_out, kBufferVa + buffer_ + offset, bytes);
  if (error != 0) free_[bytes / 4096].push_front(iova_out);
  return error;
}

void UserPort::unmap(std::uint64_t iova, std::uint64_t bytes, unsigned) {
  const std::unique_lock<hal::Mutex> guard(*lock_);
  base::ensure(program_.ioas_unmap(ioas_, iova, bytes) == 0, "a buffer cannot be unmapped");
  free_[bytes / 4096].push_back(iova);
}

}  // namespace iommusim::platform
