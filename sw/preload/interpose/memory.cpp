// SPDX-License-Identifier: Apache-2.0
// The address space: mappings of the stack's files, and what the program does to pages that were moved into the
// machine's memory and must look as before.
#include <sys/mman.h>

#include <cstdarg>

#include "preload/hidden_fds.h"
#include "preload/interpose/interpose.h"

namespace iommusim::preload {
namespace {

void* as_pointer(long result) {
  return reinterpret_cast<void*>(as_libc(result < 0 && result > -4096 ? result : 0) < 0 ? -1L : result);
}

std::uint64_t whole_pages(std::uint64_t bytes) { return (bytes + 4095) & ~4095ULL; }

void* map_any(void* at, std::size_t bytes, int prot, int flags, int fd, off_t offset) {
  Runtime& runtime = Runtime::get();
  if (!(flags & MAP_ANONYMOUS)) {
    if (is_hidden_fd(fd)) return as_pointer(-EBADF);
    if (runtime.descriptors().may_be_ours(fd))
      if (const auto open = runtime.descriptors().get(fd))
        return as_pointer(runtime.map(*open, reinterpret_cast<std::uint64_t>(at), bytes, prot, flags,
                                      static_cast<std::uint64_t>(offset)));
  }
  const long result = sys::call(SYS_mmap, at, bytes, prot, flags, fd, offset);
  if ((flags & MAP_FIXED) && !(result < 0 && result > -4096))
    runtime.mappings().remove(static_cast<std::uint64_t>(result), whole_pages(bytes));
  return as_pointer(result);
}

// MADV_DONTNEED of private memory: it reads as zero afterwards. Pages that lie in the machine's memory would not: they
// are replaced, and the device keeps what it had.
void renew_moved_pages(Running& running, std::uint64_t va, std::uint64_t bytes) {
  for (std::uint64_t at = va; at < va + bytes;) {
    Vma vma;
    if (!running.process.space().find(at, vma)) {
      at += 4096;
      continue;
    }
    const std::uint64_t end = vma.end < va + bytes ? vma.end : va + bytes;
    if (running.ram.is_ours(vma.device, vma.inode) && vma.offset >= RamFile::kUserStart)
      sys::map(reinterpret_cast<void*>(at), end - at, vma.prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    at = end;
  }
}

}  // namespace
}  // namespace iommusim::preload

using namespace iommusim::preload;  // NOLINT: names of libc below

IOMMUSIM_INTERPOSE(void*, mmap, void* at, std::size_t bytes, int prot, int flags, int fd, off_t offset) {
  return map_any(at, bytes, prot, flags, fd, offset);
}
IOMMUSIM_INTERPOSE(void*, mmap64, void* at, std::size_t bytes, int prot, int flags, int fd, off_t offset) {
  return map_any(at, bytes, prot, flags, fd, offset);
}

IOMMUSIM_INTERPOSE(int, munmap, void* at, std::size_t bytes) {
  const long error = sys::call(SYS_munmap, at, bytes);
  if (error == 0) Runtime::get().mappings().remove(reinterpret_cast<std::uint64_t>(at), whole_pages(bytes));
  return static_cast<int>(as_libc(error));
}

IOMMUSIM_INTERPOSE(int, mprotect, void* at, std::size_t bytes, int prot) {
  if (Runtime::get().mappings().set_rights(reinterpret_cast<std::uint64_t>(at), whole_pages(bytes), prot)) return 0;
  return static_cast<int>(as_libc(sys::call(SYS_mprotect, at, bytes, prot)));
}

IOMMUSIM_INTERPOSE(void*, mremap, void* from, std::size_t old_bytes, std::size_t new_bytes, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  void* const wanted = flags & MREMAP_FIXED ? va_arg(arguments, void*) : nullptr;
  va_end(arguments);
  const long result = sys::call(SYS_mremap, from, old_bytes, new_bytes, flags, wanted);
  if (!(result < 0 && result > -4096)) {
    FileMappings& mappings = Runtime::get().mappings();
    const auto old_at = reinterpret_cast<std::uint64_t>(from);
    const auto new_at = static_cast<std::uint64_t>(result);
    if (!mappings.empty()) {
      const std::uint64_t kept = whole_pages(old_bytes < new_bytes ? old_bytes : new_bytes);
      if (new_at != old_at) mappings.remove(new_at, whole_pages(new_bytes)), mappings.move(old_at, kept, new_at);
      if (whole_pages(old_bytes) > kept) mappings.remove(old_at + kept, whole_pages(old_bytes) - kept);
    }
  }
  return as_pointer(result);
}

IOMMUSIM_INTERPOSE(int, madvise, void* at, std::size_t bytes, int advice) {
  const long error = sys::call(SYS_madvise, at, bytes, advice);
  Running* const running = Runtime::get().running();
  if (error == 0 && advice == MADV_DONTNEED && running)
    renew_moved_pages(*running, reinterpret_cast<std::uint64_t>(at), whole_pages(bytes));
  return static_cast<int>(as_libc(error));
}
