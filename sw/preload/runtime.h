// SPDX-License-Identifier: Apache-2.0
// The library's state in one process: the tree, the descriptors, and, from the first open of a device node on, the
// machine. Never destroyed: threads of the program may call until the very end. Calls answer as system calls do, with a
// negative errno.
#pragma once

#include <pthread.h>
#include <ucontext.h>

#include <memory>
#include <mutex>

#include "preload/child_server.h"
#include "preload/descriptors.h"
#include "preload/file_mappings.h"
#include "preload/machine.h"
#include "preload/own_process.h"
#include "preload/parent_lane.h"
#include "preload/tree.h"
#include "vfio/registry.h"

namespace iommusim::preload {

/// What exists with the machine.
struct Running {
  explicit Running(hal::Files& files) : pages(ram), process(ram, pages, files) {}
  RamFile ram;
  UserPages pages;
  OwnProcess process;
  std::unique_ptr<Machine> machine;
  std::unique_ptr<vfio::Registry> registry;  // of the machine's functions
};

class Runtime {
 public:
  static Runtime& get();

  /// False: not under `iommusim exec`; everything is passed on.
  bool active() const { return tree_.present(); }
  const Tree& tree() const { return tree_; }
  Descriptors& descriptors() { return descriptors_; }
  FileMappings& mappings() { return mappings_; }
  /// nullptr: not started, or it is another process's.
  Running* running() { return running_; }
  /// By the calling thread, at this moment: threads that it makes are the machine's own.
  bool starts_machine() const { return starting_.load() == pthread_self(); }

  /// After an open of any file: `fd` itself, which belongs to the stack from now on if it is a placeholder, or an errno
  /// (`fd` is closed then).
  int opened(int fd);

  // Calls of this process, wherever the machine is.
  std::int64_t ioctl(OpenFile& open, std::uint32_t command, std::uint64_t arg);
  std::int64_t read(OpenFile& open, std::uint64_t va, std::uint64_t bytes, const std::uint64_t* position);
  std::int64_t write(OpenFile& open, std::uint64_t va, std::uint64_t bytes, const std::uint64_t* position);
  // Calls of any process, where the machine is.
  std::int64_t ioctl(hal::Process& caller, OpenFile& open, std::uint32_t command, std::uint64_t arg);
  std::int64_t read(hal::Process& caller, OpenFile& open, std::uint64_t va, std::uint64_t bytes,
                    const std::uint64_t* position);
  std::int64_t write(hal::Process& caller, OpenFile& open, std::uint64_t va, std::uint64_t bytes,
                     const std::uint64_t* position);
  /// 0 or a negative errno. `node`: an index into the tree's.
  int open_node(std::uint64_t node, OpenFile& out);

  // Around fork (runtime_fork.cpp).
  void before_fork();
  void after_fork_in_parent();
  void after_fork_in_child();

  /// mmap() of a file of the stack: the address.
  std::int64_t map(OpenFile& open, std::uint64_t at, std::uint64_t bytes, int prot, int flags, std::uint64_t offset);
  /// An instruction of the program faulted at `address`. False: no registers are mapped there, or it is not an access
  /// that can be done in its place.
  bool access_mapping(const void* address, ucontext_t& context);

  /// Status files of /proc that this process may ask for.
  std::string status_text(int pid);
  /// The program ends in an orderly way.
  void finish();

 private:
  Runtime();
  int start();
  /// 0 or a negative errno.
  int open_file(const Node& node, std::shared_ptr<hal::File>& out);

  Tree tree_;
  Descriptors descriptors_;
  FileMappings mappings_;
  std::mutex start_lock_;
  std::atomic<pthread_t> starting_{};
  Running* running_ = nullptr;        // set once, under start_lock_
  std::unique_ptr<ParentLane> lane_;  // in a child of fork of a process with a machine: the way to it
  int fork_sockets_[2] = {-1, -1};    // between before_fork() and its end; guarded by start_lock_
  ChildFiles fork_files_;
};

}  // namespace iommusim::preload
