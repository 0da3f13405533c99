// SPDX-License-Identifier: Apache-2.0
// The memory file and its window.
#include "preload/ram_file.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <cstring>
#include <stdexcept>

#include "hal/contradiction.h"
#include "preload/hidden_fds.h"
#include "preload/system_calls.h"

namespace iommusim::preload {

RamFile::RamFile() {
  fd_ = hide_fd(static_cast<int>(sys::call(SYS_memfd_create, "iommusim-ram", MFD_CLOEXEC)));
  struct stat status {};
  if (fd_ < 0 || sys::call(SYS_ftruncate, fd_, kBytes) != 0 || sys::call(SYS_fstat, fd_, &status) != 0)
    throw std::runtime_error("no memory file for the machine's memory");
  device_ = status.st_dev;
  inode_ = status.st_ino;
  const long base = sys::call(SYS_mmap, nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd_, 0UL);
  if (base < 0 && base > -4096) throw std::runtime_error("no address space for the machine's memory");
  ram_ = Ram{reinterpret_cast<unsigned char*>(base), kUserStart, kBytes};
  // A child of fork has its own copies of pinned pages (user_pages.cpp) and reaches the machine through its parent.
  sys::call(SYS_madvise, ram_.base, kBytes, MADV_DONTFORK);
}

RamFile::~RamFile() {
  sys::call(SYS_munmap, ram_.base, kBytes);
  close_hidden_fd(fd_);
}

bool RamFile::reset(std::uint64_t spa, std::uint64_t bytes) {
  unsigned char* const page = ram_.base + spa;
  if (sys::map(page, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_NORESERVE, fd_, spa) != 0)
    return false;
  sys::call(SYS_madvise, page, bytes, MADV_DONTFORK);
  return true;
}

void RamFile::discard(std::uint64_t spa, std::uint64_t bytes) {
  constexpr int kPunchHole = 0x02, kKeepSize = 0x01;  // FALLOC_FL_*
  sys::call(SYS_fallocate, fd_, kPunchHole | kKeepSize, spa, bytes);
}

bool RamFile::repair(void* address) {
  auto* const byte = static_cast<unsigned char*>(address);
  if (byte < ram_.base || byte >= ram_.base + kBytes) return false;
  const auto spa = static_cast<std::uint64_t>(byte - ram_.base) & ~0xFFFULL;
  return sys::map(ram_.base + spa, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == 0;
}

unsigned char* RamFile::at(std::uint64_t spa, std::size_t bytes) const {
  hal::ensure(spa < kBytes && bytes <= kBytes - spa, "an access beyond the end of memory");
  return ram_.base + spa;
}

void RamFile::read(std::uint64_t spa, void* out, std::size_t bytes) { std::memcpy(out, at(spa, bytes), bytes); }
void RamFile::write(std::uint64_t spa, const void* in, std::size_t bytes) { std::memcpy(at(spa, bytes), in, bytes); }

std::uint64_t RamFile::load64(std::uint64_t spa) {
  return __atomic_load_n(reinterpret_cast<std::uint64_t*>(at(spa, 8)), __ATOMIC_ACQUIRE);
}
void RamFile::store64(std::uint64_t spa, std::uint64_t value) {
  __atomic_store_n(reinterpret_cast<std::uint64_t*>(at(spa, 8)), value, __ATOMIC_RELEASE);
}
bool RamFile::compare_exchange64(std::uint64_t spa, std::uint64_t& expected, std::uint64_t desired) {
  return __atomic_compare_exchange_n(reinterpret_cast<std::uint64_t*>(at(spa, 8)), &expected, desired, false,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

}  // namespace iommusim::preload
