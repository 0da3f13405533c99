// SPDX-License-Identifier: Apache-2.0
// Questions about an address space. The structure of the query is written here: headers of older systems lack it.
#include "preload/vma.h"

#include <sys/mman.h>
#include <sys/sysmacros.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "preload/hidden_fds.h"
#include "preload/system_calls.h"

namespace iommusim::preload {
namespace {

struct ProcmapQuery {  // struct procmap_query of the kernel
  std::uint64_t size, query_flags, query_addr, vma_start, vma_end, vma_flags, vma_page_size, vma_offset, inode;
  std::uint32_t dev_major, dev_minor, vma_name_size, build_id_size;
  std::uint64_t vma_name_addr, build_id_addr;
};
static_assert(sizeof(ProcmapQuery) == 104);
constexpr unsigned long kQuery = 0xC0686611;  // _IOWR('f', 17, struct procmap_query)
enum : std::uint64_t { kReadable = 1, kWritable = 2, kExecutable = 4, kShared = 8 };

bool parse(const char* line, Vma& out) {
  unsigned long start = 0, end = 0, offset = 0, inode = 0;
  unsigned major = 0, minor = 0;
  char rights[5] = {};
  if (std::sscanf(line, "%lx-%lx %4s %lx %x:%x %lu", &start, &end, rights, &offset, &major, &minor, &inode) != 7)
    return false;
  out = Vma{start, end, 0, rights[3] == 's', offset, makedev(major, minor), inode, 4096};
  if (rights[0] == 'r') out.prot |= PROT_READ;
  if (rights[1] == 'w') out.prot |= PROT_WRITE;
  if (rights[2] == 'x') out.prot |= PROT_EXEC;
  return true;
}

}  // namespace

VmaReader::VmaReader(int pid) {
  char path[32] = "/proc/self/maps";
  if (pid != 0) std::snprintf(path, sizeof path, "/proc/%d/maps", pid);
  fd_ = hide_fd(sys::open(path, O_RDONLY | O_CLOEXEC));
}

VmaReader::~VmaReader() { close_hidden_fd(fd_); }

bool VmaReader::find(std::uint64_t address, Vma& out) {
  if (!has_query_) return find_in_text(address, out);
  ProcmapQuery query;
  std::memset(&query, 0, sizeof query);
  query.size = sizeof query;
  query.query_addr = address;
  const long error = sys::call(SYS_ioctl, fd_, kQuery, &query);
  if (error == -ENOTTY || error == -EINVAL) {
    has_query_ = false;
    return find_in_text(address, out);
  }
  if (error != 0) return false;
  out = Vma{query.vma_start,
            query.vma_end,
            0,
            (query.vma_flags & kShared) != 0,
            query.vma_offset,
            makedev(query.dev_major, query.dev_minor),
            query.inode,
            query.vma_page_size};
  if (query.vma_flags & kReadable) out.prot |= PROT_READ;
  if (query.vma_flags & kWritable) out.prot |= PROT_WRITE;
  if (query.vma_flags & kExecutable) out.prot |= PROT_EXEC;
  return true;
}

bool VmaReader::find_in_text(std::uint64_t address, Vma& out) {
  bool found = false;
  for_each([&](const Vma& vma) {
    if (address < vma.start || address >= vma.end) return;
    out = vma;
    found = true;
  });
  return found;
}

void VmaReader::for_each(const std::function<void(const Vma&)>& visit) {
  std::string text;
  char part[16384];
  for (std::uint64_t at = 0;;) {
    const long got = sys::call(SYS_pread64, fd_, part, sizeof part, at);
    if (got <= 0) break;
    text.append(part, static_cast<std::size_t>(got));
    at += static_cast<std::uint64_t>(got);
  }
  for (std::size_t line = 0; line < text.size();) {
    std::size_t end = text.find('\n', line);
    if (end == std::string::npos) end = text.size();
    text[end == text.size() ? end - 1 : end] = '\0';
    Vma vma;
    if (parse(text.c_str() + line, vma)) visit(vma);
    line = end + 1;
  }
}

}  // namespace iommusim::preload
