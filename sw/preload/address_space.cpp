// SPDX-License-Identifier: Apache-2.0
// How a private page is moved. Writes of other threads must not get lost between the copy and the new mapping, so the
// page is made read-only meanwhile: a thread that writes gets SIGSEGV, our handler lets it wait and try again. (A
// system call of another thread that writes there in these microseconds gets EFAULT. userfaultfd would avoid that, but
// is seldom allowed.) Copy and system calls are one piece of assembly without a memory operand, because the page may be
// the one that our own stack is in.
#include "preload/address_space.h"

#include <sys/mman.h>
#include <ucontext.h>

#include <atomic>
#include <csignal>
#include <vector>

#include "preload/system_calls.h"

namespace iommusim::preload {
namespace {

constexpr int kPopulateRead = 22, kPopulateWrite = 23;  // MADV_POPULATE_*, since Linux 5.14
constexpr std::uint64_t kSignalFrame = 16384;           // more than what a signal puts on the stack

std::atomic<std::uint64_t> moving_start{0}, moving_end{0};
std::atomic<bool> has_threads{false};

// mprotect(va, bytes, PROT_READ) if `freeze`; pwrite(fd, va, bytes, spa); mmap(va, bytes, prot, shared, fd, spa).
long move_pages(std::uint64_t va, std::uint64_t bytes, int prot, bool freeze, int fd, std::uint64_t spa) {
  long result = 0;
  const std::uint64_t choice = static_cast<unsigned>(prot) | static_cast<std::uint64_t>(freeze) << 32;
  register long file asm("r8") = fd;
  asm volatile(
      "bt $32, %[choice]\n\t"
      "jnc 1f\n\t"
      "mov $10, %%eax\n\t"
      "mov %[va], %%rdi\n\t"
      "mov %[bytes], %%rsi\n\t"
      "mov $1, %%edx\n\t"
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 2f\n\t"
      "1: mov $18, %%eax\n\t"
      "mov %%r8, %%rdi\n\t"
      "mov %[va], %%rsi\n\t"
      "mov %[bytes], %%rdx\n\t"
      "mov %[spa], %%r10\n\t"
      "syscall\n\t"
      "cmp %[bytes], %%rax\n\t"
      "jne 2f\n\t"
      "mov $9, %%eax\n\t"
      "mov %[va], %%rdi\n\t"
      "mov %[bytes], %%rsi\n\t"
      "mov %k[choice], %%edx\n\t"
      "mov %[flags], %%r10\n\t"
      "mov %[spa], %%r9\n\t"
      "syscall\n\t"
      "2:\n\t"
      : "=&a"(result)
      : [va] "r"(va), [bytes] "r"(bytes), [spa] "r"(spa), [choice] "r"(choice), [flags] "i"(MAP_SHARED | MAP_FIXED),
        "r"(file)
      : "rdi", "rsi", "rdx", "rcx", "r9", "r10", "r11", "memory", "cc");
  return result;
}

}  // namespace

void program_has_threads() { has_threads = true; }

int OwnAddressSpace::populate(std::uint64_t va, std::uint64_t bytes, bool write) {
  const long error = sys::call(SYS_madvise, va, bytes, write ? kPopulateWrite : kPopulateRead);
  if (error != -EINVAL) return error == 0 ? 0 : EFAULT;
  // An old kernel, or a mapping without pages of memory: touch them through the kernel, which answers instead of
  // faulting.
  for (std::uint64_t at = va; at < va + bytes; at += 4096) {
    unsigned char byte = 0;
    struct {
      void* base;
      std::size_t bytes;
    } local{&byte, 1}, remote{reinterpret_cast<void*>(at), 1};
    if (sys::call(SYS_process_vm_readv, sys::call(SYS_getpid), &local, 1UL, &remote, 1UL, 0UL) != 1) return EFAULT;
  }
  return 0;
}

int OwnAddressSpace::adopt(std::uint64_t va, std::uint64_t bytes, int prot, std::uint64_t spa) {
  moving_end = va + bytes;
  moving_start = va;
  const auto stack = reinterpret_cast<std::uint64_t>(__builtin_frame_address(0));
  const bool near = va <= stack && va + bytes > stack - kSignalFrame;
  std::uint64_t all = ~0ULL, saved = 0;
  if (near) sys::call(SYS_rt_sigprocmask, SIG_BLOCK, &all, &saved, 8UL);
  const bool freeze = (prot & PROT_WRITE) != 0 && has_threads;
  const long result = move_pages(va, bytes, prot, freeze, ram_.fd(), spa);
  const bool failed = result != static_cast<long>(va);
  if (failed && freeze) sys::call(SYS_mprotect, va, bytes, prot);
  if (near) sys::call(SYS_rt_sigprocmask, SIG_SETMASK, &saved, 0UL, 8UL);
  moving_start = 0;
  moving_end = 0;
  return failed ? (result == -EFAULT ? EFAULT : ENOMEM) : 0;
}

bool OwnAddressSpace::wait_for_move(void* address) {
  const auto at = reinterpret_cast<std::uint64_t>(address);
  while (at >= moving_start && at < moving_end) __builtin_ia32_pause();
  Vma vma;
  return find(at, vma) && ram_.is_ours(vma.device, vma.inode) && (vma.prot & PROT_WRITE) != 0;
}

int OwnAddressSpace::share(const Vma& /*vma*/, std::uint64_t va, std::uint64_t bytes, std::uint64_t spa) {
  void* const window = ram_.ram().base + spa;
  // An old size of 0 makes a second mapping of shared pages.
  const long result = sys::call(SYS_mremap, va, 0UL, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, window);
  if (result < 0 && result > -4096) {
    ram_.reset(spa, bytes);
    return EFAULT;
  }
  sys::call(SYS_madvise, window, bytes, MADV_DONTFORK);
  return 0;
}

void make_private_copies(const RamFile& ram) {
  std::vector<Vma> shown;
  VmaReader().for_each([&](const Vma& vma) {
    if (ram.is_ours(vma.device, vma.inode) && vma.offset >= ram.ram().user_start) shown.push_back(vma);
  });
  for (const Vma& vma : shown) {
    const std::uint64_t bytes = vma.end - vma.start;
    const long copy = sys::call(SYS_mmap, nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0UL);
    if (copy < 0 && copy > -4096) continue;
    for (std::uint64_t done = 0; done < bytes;) {
      const long got =
          sys::call(SYS_pread64, ram.fd(), copy + static_cast<long>(done), bytes - done, vma.offset + done);
      if (got <= 0) break;
      done += static_cast<std::uint64_t>(got);
    }
    sys::call(SYS_mprotect, copy, bytes, vma.prot);
    sys::call(SYS_mremap, copy, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, vma.start);
  }
}

}  // namespace iommusim::preload
