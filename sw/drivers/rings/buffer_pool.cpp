// SPDX-License-Identifier: Apache-2.0
#include "drivers/rings/buffer_pool.h"

#include "hal/contradiction.h"

namespace iommusim::drivers::rings {

namespace {

/// The bit in which a wrong IOVA differs: far from all that is mapped.
constexpr std::uint64_t kWrong = 1ULL << 37;

}  // namespace

BufferPool::BufferPool(BufferPort& port, std::uint64_t offset, const BufferOptions& options)
    : port_(port), offset_(offset), options_(options), buffers_(options.count) {
  for (std::uint32_t number = 0; number < options.count; ++number) free_.push_back(number);
}

int BufferPool::open() {
  if (options_.mapping != Mapping::kRing) return 0;
  if (!options_.scattered) return map_together();
  for (std::uint32_t number = 0; number < options_.count; ++number)
    if (const int error = map(number); error != 0) {
      close();
      return error;
    }
  return 0;
}

int BufferPool::map_together() {
  const std::uint64_t bytes = std::uint64_t{options_.count} * buffer_bytes();
  if (const int error = port_.map(offset_, bytes, options_.prot, options_.cpu, together_); error != 0) return error;
  ++maps_;
  is_together_ = true;
  for (std::uint32_t number = 0; number < options_.count; ++number) {
    buffers_[number].pieces = {{together_ + std::uint64_t{number} * buffer_bytes(), buffer_bytes()}};
    buffers_[number].mapped = true;
  }
  return 0;
}

void BufferPool::close() {
  if (is_together_) {
    port_.unmap(together_, std::uint64_t{options_.count} * buffer_bytes(), options_.cpu);
    ++unmaps_;
    is_together_ = false;
    for (Buffer& buffer : buffers_) buffer.mapped = false;
  }
  for (std::uint32_t number = 0; number < options_.count; ++number)
    if (buffers_[number].mapped) unmap(number);
}

int BufferPool::map(std::uint32_t number) {
  Buffer& buffer = buffers_[number];
  buffer.pieces.clear();
  const std::uint32_t bytes = options_.scattered ? 4096 : buffer_bytes();
  for (std::uint64_t at = 0; at < buffer_bytes(); at += bytes) {
    std::uint64_t iova = 0;
    if (const int error = port_.map(offset_of(number) + at, bytes, options_.prot, options_.cpu, iova); error != 0) {
      unmap(number);
      return error;
    }
    ++maps_;
    buffer.pieces.push_back({iova, bytes});
  }
  buffer.mapped = true;
  return 0;
}

void BufferPool::unmap(std::uint32_t number) {
  for (const Piece& piece : buffers_[number].pieces) {
    port_.unmap(piece.iova, piece.bytes, options_.cpu);
    ++unmaps_;
  }
  buffers_[number].mapped = false;
}

int BufferPool::take(std::uint32_t& number) {
  hal::ensure(available(), "a buffer is taken of a pool that has none");
  number = free_.front();
  if (!buffers_[number].mapped)
    if (const int error = map(number); error != 0) return error;
  free_.pop_front();
  if (options_.wrong_every != 0 && ++uses_ % options_.wrong_every == 0) {
    buffers_[number].wrong = buffers_[number].pieces;
    for (Piece& piece : buffers_[number].wrong) piece.iova ^= kWrong;
    ++wrong_;
  }
  return 0;
}

void BufferPool::give_back(std::uint32_t number) {
  buffers_[number].wrong.clear();
  if (options_.mapping == Mapping::kBuffer && buffers_[number].mapped) unmap(number);
  free_.push_back(number);
}

void BufferPool::read(std::uint32_t number, std::uint64_t at, void* out, std::size_t bytes) {
  port_.read(offset_of(number) + at, out, bytes);
}

void BufferPool::write(std::uint32_t number, std::uint64_t at, const void* in, std::size_t bytes) {
  port_.write(offset_of(number) + at, in, bytes);
}

}  // namespace iommusim::drivers::rings
