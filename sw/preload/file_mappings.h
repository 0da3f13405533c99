// SPDX-License-Identifier: Apache-2.0
// Which addresses of the program show a file of the stack: memory of the kernel, mapped for real, or registers, behind
// pages without access rights, each access to which is caught. Follows what the program does with them, so that what a
// mapping holds is dropped when its last page is gone. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "hal/file.h"

namespace iommusim::preload {

class FileMappings {
 public:
  void add(std::uint64_t va, std::uint64_t bytes, const hal::MappedRegion& region, int prot);
  /// The range shows something else, or nothing, from now on.
  void remove(std::uint64_t va, std::uint64_t bytes);
  /// What was at `from` is at `to`.
  void move(std::uint64_t from, std::uint64_t bytes, std::uint64_t to);
  /// Registers behind `va`, and where in them. `prot`: the rights that the program gave itself.
  std::shared_ptr<hal::MappedRegisters> find(std::uint64_t va, std::uint64_t& offset_out, int& prot_out);
  /// True: some page of the range shows registers; the rights are noted, the pages stay closed.
  bool set_rights(std::uint64_t va, std::uint64_t bytes, int prot);
  bool empty();

  void lock() { lock_.lock(); }
  void unlock() { lock_.unlock(); }

 private:
  struct Piece {
    std::uint64_t end;
    std::shared_ptr<hal::MappedRegisters> registers;
    std::uint64_t offset;
    int prot;
    std::shared_ptr<void> hold;
  };
  using Pieces = std::map<std::uint64_t, Piece>;
  /// Makes `va` a border between pieces. Under lock_.
  void cut(std::uint64_t va);
  Pieces take(std::uint64_t va, std::uint64_t bytes);

  std::mutex lock_;  // a leaf; guards pieces_
  Pieces pieces_;    // by first address
};

}  // namespace iommusim::preload
