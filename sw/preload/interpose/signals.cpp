// SPDX-License-Identifier: Apache-2.0
// The program's handlers of SIGSEGV and SIGBUS stand behind the library's. They are never blocked: a fault while they
// are would end the process.
#include <csignal>

#include "preload/interpose/interpose.h"
#include "preload/signals.h"

namespace iommusim::preload {
namespace {

template <class Next>
int change_mask(int how, const sigset_t* set, sigset_t* old, Next next) {
  if (!set || how == SIG_UNBLOCK || !Runtime::get().active()) return next(how, set, old);
  sigset_t allowed = *set;
  sigdelset(&allowed, SIGSEGV);
  sigdelset(&allowed, SIGBUS);
  return next(how, &allowed, old);
}

}  // namespace
}  // namespace iommusim::preload

using namespace iommusim::preload;  // NOLINT: names of libc below

IOMMUSIM_INTERPOSE(int, sigaction, int signal, const struct sigaction* action, struct sigaction* old) {
  if (change_program_action(signal, action, old)) return 0;
  return IOMMUSIM_NEXT(sigaction)(signal, action, old);
}

IOMMUSIM_INTERPOSE(sighandler_t, signal, int signal, sighandler_t handler) {
  struct sigaction action {
  }, old{};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  if (change_program_action(signal, &action, &old)) return old.sa_handler;
  return IOMMUSIM_NEXT(signal)(signal, handler);
}

IOMMUSIM_INTERPOSE(int, sigprocmask, int how, const sigset_t* set, sigset_t* old) {
  return change_mask(how, set, old, IOMMUSIM_NEXT(sigprocmask));
}
IOMMUSIM_INTERPOSE(int, pthread_sigmask, int how, const sigset_t* set, sigset_t* old) {
  return change_mask(how, set, old, IOMMUSIM_NEXT(pthread_sigmask));
}
