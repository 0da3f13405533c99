// SPDX-License-Identifier: Apache-2.0
// Copies of little in this process are plain ones; where they fault, the handler of SIGSEGV lets them end (a system
// call for each would cost more than all the rest of a MAP). Others go through the kernel, which checks each page
// itself.
#include "preload/own_process.h"

#include <sys/uio.h>

#include "preload/system_calls.h"

namespace iommusim::preload {
namespace {

constexpr std::size_t kSmall = 1024;

int transfer(long number, int pid, void* local, std::uint64_t va, std::size_t bytes) {
  if (bytes == 0) return 0;
  const iovec here{local, bytes};
  const iovec there{reinterpret_cast<void*>(va), bytes};
  return sys::call(number, pid, &here, 1UL, &there, 1UL, 0UL) == static_cast<long>(bytes) ? 0 : EFAULT;
}

// A copy that the handler of SIGSEGV can end: continues at the second label then. 0 or EFAULT.
[[gnu::noinline, gnu::noclone]] int guarded_copy(void* to, const void* from, std::size_t bytes) {
  long failed = 0;
  asm volatile(
      ".globl iommusim_copy_begin, iommusim_copy_fault\n"
      ".hidden iommusim_copy_begin, iommusim_copy_fault\n"
      "iommusim_copy_begin: rep movsb\n\t"
      "jmp 1f\n"
      "iommusim_copy_fault: mov $1, %%eax\n"
      "1:\n"
      : "+D"(to), "+S"(from), "+c"(bytes), "+a"(failed)
      :
      : "memory");
  return failed ? EFAULT : 0;
}

}  // namespace

int copy_from_process(int pid, void* to, std::uint64_t from_va, std::size_t bytes) {
  return transfer(SYS_process_vm_readv, pid, to, from_va, bytes);
}

int copy_to_process(int pid, std::uint64_t to_va, const void* from, std::size_t bytes) {
  return transfer(SYS_process_vm_writev, pid, const_cast<void*>(from), to_va, bytes);
}

OwnProcess::OwnProcess(RamFile& ram, UserPages& pages, hal::Files& files)
    : pages_(pages), files_(files), space_(ram), pid_(static_cast<int>(sys::call(SYS_getpid))) {}

int OwnProcess::copy_from_user(void* to, std::uint64_t user_va, std::size_t bytes) {
  if (bytes <= kSmall) return guarded_copy(to, reinterpret_cast<const void*>(user_va), bytes);
  return copy_from_process(pid_, to, user_va, bytes);
}

int OwnProcess::copy_to_user(std::uint64_t user_va, const void* from, std::size_t bytes) {
  if (bytes <= kSmall) return guarded_copy(reinterpret_cast<void*>(user_va), from, bytes);
  return copy_to_process(pid_, user_va, from, bytes);
}

int OwnProcess::pin_page(std::uint64_t user_va, bool write, std::uint64_t& spa_out) {
  std::uint64_t pinned = 0;
  return pages_.pin(space_, user_va, 1, write, &spa_out, pinned);
}

}  // namespace iommusim::preload
