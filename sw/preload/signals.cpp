// SPDX-License-Identifier: Apache-2.0
// The handler, and the program's own behind it.
#include "preload/signals.h"

#include <dlfcn.h>
#include <ucontext.h>

#include <atomic>
#include <mutex>

#include "preload/runtime.h"
#include "preload/system_calls.h"

// Of own_process.cpp: the instruction that may fault, and where to go on then.
extern "C" char iommusim_copy_begin[], iommusim_copy_fault[];

namespace iommusim::preload {
namespace {

using Sigaction = int (*)(int, const struct sigaction*, struct sigaction*);

std::atomic<bool> catching{false};
std::mutex actions_lock;
struct sigaction program_actions[2];  // SIGSEGV, SIGBUS; guarded by actions_lock

struct sigaction& program_action(int signal) {
  return program_actions[signal == SIGBUS ? 1 : 0];
}

Sigaction host_sigaction() {
  static const auto function = reinterpret_cast<Sigaction>(dlsym(RTLD_NEXT, "sigaction"));
  return function;
}

// As if the kernel had delivered it to the program.
void pass_on(int signal, siginfo_t* info, void* context) {
  struct sigaction action;
  {
    const std::lock_guard guard(actions_lock);
    action = program_action(signal);
    if (action.sa_flags & SA_RESETHAND) program_action(signal).sa_handler = SIG_DFL;
  }
  if (!(action.sa_flags & SA_SIGINFO) && (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN)) {
    action.sa_handler = SIG_DFL;  // a fault that cannot be ignored: it comes again, and ends the process
    host_sigaction()(signal, &action, nullptr);
    if (info->si_code <= 0) raise(signal);  // sent by somebody: does not come again by itself
    return;
  }
  sigset_t blocked = action.sa_mask, before;
  if (!(action.sa_flags & SA_NODEFER)) sigaddset(&blocked, signal);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  if (action.sa_flags & SA_SIGINFO)
    action.sa_sigaction(signal, info, context);
  else
    action.sa_handler(signal);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// A copy to or from the program, at an address that it has not: the copy ends.
bool end_copy(void* context) {
  auto& next = static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP];
  if (next != reinterpret_cast<greg_t>(iommusim_copy_begin)) return false;
  next = reinterpret_cast<greg_t>(iommusim_copy_fault);
  return true;
}

void on_fault(int signal, siginfo_t* info, void* context) {
  const int saved = errno;
  Running* const running = Runtime::get().running();
  const bool sent = info->si_code <= 0;
  if (!sent && running &&
      (running->process.space().wait_for_move(info->si_addr) || running->ram.repair(info->si_addr) ||
       end_copy(context) || Runtime::get().access_mapping(info->si_addr, *static_cast<ucontext_t*>(context)))) {
    errno = saved;
    return;
  }
  pass_on(signal, info, context);
  errno = saved;
}

}  // namespace

void catch_faults() {
  struct sigaction action {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  const std::lock_guard guard(actions_lock);
  if (catching) return;
  for (const int signal : {SIGSEGV, SIGBUS}) host_sigaction()(signal, &action, &program_action(signal));
  catching = true;
}

bool change_program_action(int signal, const struct sigaction* action, struct sigaction* old) {
  if (!catching || (signal != SIGSEGV && signal != SIGBUS)) return false;
  const std::lock_guard guard(actions_lock);
  if (old) *old = program_action(signal);
  if (action) program_action(signal) = *action;
  return true;
}

}  // namespace iommusim::preload
