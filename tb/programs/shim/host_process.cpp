// SPDX-License-Identifier: Apache-2.0
// Pages of this process by what /proc/self/maps says of them.
#include "host_process.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

namespace iommusim::programs {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kWindow = 2 << 20;
constexpr std::uint64_t kFilePages = 1ULL << 50;  ///< physical addresses of files begin here, 1 TiB each

// The kernel's copies fail where a load or a store would fault.
bool copy_self(std::uint64_t address, void* buffer, std::size_t bytes, bool write) {
  if (bytes == 0) return true;
  const iovec local{buffer, bytes};
  const iovec remote{reinterpret_cast<void*>(address), bytes};
  const ssize_t done = write ? process_vm_writev(getpid(), &local, 1, &remote, 1, 0)
                             : process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
  return done == static_cast<ssize_t>(bytes);
}

struct Mapped {
  std::uint64_t start = 0, end = 0, offset = 0, device = 0, inode = 0;
  bool readable = false, writable = false, shared = false;
};

std::vector<Mapped> own_mappings() {
  std::vector<Mapped> out;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    Mapped at;
    char rights[5] = {};
    unsigned major = 0, minor = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx %4s %lx %x:%x %lu", &at.start, &at.end, rights, &at.offset, &major, &minor,
                    &at.inode) != 7)
      continue;
    at.device = gnu_dev_makedev(major, minor);
    at.readable = rights[0] == 'r', at.writable = rights[1] == 'w', at.shared = rights[3] == 's';
    out.push_back(at);
  }
  return out;
}

int resolve(HostMemory& memory, const std::vector<Mapped>& mappings, std::uint64_t va, bool write, std::uint64_t& spa) {
  const auto at = std::find_if(mappings.begin(), mappings.end(),
                               [va](const Mapped& one) { return one.start <= va && va < one.end; });
  if (at == mappings.end() || !at->readable || (write && !at->writable)) return EFAULT;
  spa = at->shared ? memory.file_page(at->device, at->inode, at->offset + (va - at->start), va) : va;
  return 0;
}

}  // namespace

std::uint64_t HostMemory::load64(std::uint64_t spa) {
  std::uint64_t value = 0;
  read(spa, &value, sizeof value);
  return value;
}

bool HostMemory::compare_exchange64(std::uint64_t spa, std::uint64_t& expected, std::uint64_t desired) {
  const std::uint64_t found = load64(spa);
  const bool same = found == expected;
  if (same) store64(spa, desired);
  expected = found;
  return same;
}

std::uint64_t HostMemory::file_page(std::uint64_t device, std::uint64_t inode, std::uint64_t offset, std::uint64_t at) {
  const std::lock_guard guard(lock_);
  const std::uint64_t number = files_.emplace(std::pair(device, inode), files_.size()).first->second;
  const std::uint64_t spa = kFilePages + (number << 40) + offset;
  where_[spa] = at;
  return spa;
}

void HostMemory::pin(std::uint64_t spa) {
  const std::lock_guard guard(lock_);
  ++pins_[spa];
}

void HostMemory::unpin(std::uint64_t spa) {
  const std::lock_guard guard(lock_);
  const auto at = pins_.find(spa);
  if (at != pins_.end() && --at->second == 0) pins_.erase(at);
}

std::uint64_t HostMemory::pins(std::uint64_t spa) {
  const std::lock_guard guard(lock_);
  const auto at = pins_.find(spa);
  return at == pins_.end() ? 0 : at->second;
}

std::uint64_t HostMemory::pinned_pages() {
  const std::lock_guard guard(lock_);
  return pins_.size();
}

void HostMemory::move(std::uint64_t spa, void* buffer, std::size_t bytes, bool write) {
  auto* at = static_cast<unsigned char*>(buffer);
  while (bytes > 0) {
    const std::size_t piece = std::min<std::size_t>(bytes, kPage - spa % kPage);
    std::uint64_t address = spa;
    if (spa >= kFilePages) {
      const std::lock_guard guard(lock_);
      address = where_[spa - spa % kPage] + spa % kPage;
    }
    if (!copy_self(address, at, piece, write) && !write) std::memset(at, 0xff, piece);
    spa += piece, at += piece, bytes -= piece;
  }
}

int HostProcess::copy_from_user(void* to, std::uint64_t user_va, std::size_t bytes) {
  return copy_self(user_va, to, bytes, false) ? 0 : EFAULT;
}

int HostProcess::copy_to_user(std::uint64_t user_va, const void* from, std::size_t bytes) {
  return copy_self(user_va, const_cast<void*>(from), bytes, true) ? 0 : EFAULT;
}

int HostProcess::pin_page(std::uint64_t user_va, bool write, std::uint64_t& spa_out) {
  std::uint64_t pinned = 0;
  return pin_pages(user_va, 1, write, &spa_out, pinned);
}

int HostProcess::pin_pages(std::uint64_t user_va, std::uint64_t count, bool write, std::uint64_t* spas,
                           std::uint64_t& pinned) {
  const std::vector<Mapped> mappings = own_mappings();
  for (pinned = 0; pinned < count; ++pinned) {
    if (const int error = resolve(memory_, mappings, user_va + pinned * kPage, write, spas[pinned])) return error;
    memory_.pin(spas[pinned]);
  }
  return 0;
}

int HostProcess::pins_of_page(std::uint64_t user_va, std::uint64_t& pins) {
  std::uint64_t spa = 0;
  if (const int error = resolve(memory_, own_mappings(), user_va, false, spa)) return error;
  pins = memory_.pins(spa);
  return 0;
}

HostMemoryFile::~HostMemoryFile() {
  for (const auto& [offset, window] : windows_) ::munmap(window, kWindow);
  ::close(fd_);
}

int HostMemoryFile::pin_page(std::uint64_t offset, bool /*write*/, std::uint64_t& spa_out) {
  struct stat what {};
  if (::fcntl(fd_, F_GET_SEALS) < 0 || ::fstat(fd_, &what) != 0) return EINVAL;
  if (offset >= static_cast<std::uint64_t>(what.st_size)) return EINVAL;
  const std::lock_guard guard(lock_);
  void*& window = windows_[offset / kWindow];
  if (!window)
    window = ::mmap(nullptr, kWindow, PROT_READ | PROT_WRITE, MAP_SHARED, fd_,
                    static_cast<off_t>(offset / kWindow * kWindow));
  spa_out =
      memory_.file_page(what.st_dev, what.st_ino, offset, reinterpret_cast<std::uint64_t>(window) + offset % kWindow);
  memory_.pin(spa_out);
  return 0;
}

}  // namespace iommusim::programs
