// SPDX-License-Identifier: Apache-2.0
// Which pages of programs lie where in the machine's memory, and how often each is pinned. A private page is moved
// there at its first pin and stays (pinning it again costs no move) until nobody maps it any more; a shared page has
// the same place whoever pins it, through whatever mapping or file. A place belongs to a block of 2 MiB for the same 2
// MiB of addresses, so that neighbours in the program are neighbours in physical memory. Errors are positive.
// Thread-safe.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "preload/address_space.h"

namespace iommusim::preload {

class UserPages {
 public:
  explicit UserPages(RamFile& ram) : ram_(ram) {}

  /// As Process::pin_pages().
  int pin(AddressSpace& space, std::uint64_t va, std::uint64_t count, bool write, std::uint64_t* spas,
          std::uint64_t& pinned);
  /// Pages of the file `fd`, `offset` a multiple of the page. EINVAL: no memory file, or beyond its end. ENOMEM.
  int pin_file(int fd, std::uint64_t offset, std::uint64_t count, std::uint64_t* spas, std::uint64_t& pinned);
  void unpin(const std::uint64_t* spas, std::uint64_t count);
  /// Pins of the page at `va` at present. EFAULT: no readable page.
  int pins_of(AddressSpace& space, std::uint64_t va, std::uint64_t& pins);
  /// The address space is gone; its pages go with their last pin.
  void forget(AddressSpace& space);

  std::uint64_t moved_pages();  ///< of private mappings, in the machine's memory at present

 private:
  enum class State : std::uint8_t { kFree, kMoved, kShared, kSharedReadOnly };
  struct Key {
    std::uint64_t device, inode, number;  // a block of a file; of an address space: device kPrivate, inode its address
    bool operator<(const Key& other) const {
      return std::tie(device, inode, number) < std::tie(other.device, other.inode, other.number);
    }
  };
  struct Block {
    Key key{};
    unsigned used = 0;
    bool ownerless = false;  // its address space is gone
    std::array<State, 512> state{};
    std::array<std::uint32_t, 512> pins{};
  };
  struct Place {
    Block* block;
    std::uint64_t index;  // of the block
    unsigned slot;
  };
  static constexpr std::uint64_t kPrivate = ~0ULL;
  static constexpr std::uint64_t kBlockBytes = 512 * 4096;

  // All with lock_ held.
  Place place_of(std::uint64_t spa);
  static std::uint64_t spa_of(const Place& place) { return place.index * kBlockBytes + place.slot * 4096; }
  /// False: no room.
  bool get_block(const Key& key, bool another, Place& out);
  void free_slot(const Place& place);
  void add_pin(const Place& place);
  bool drop_pin(std::uint64_t spa);
  int pin_moved(const Vma& vma, std::uint64_t va, std::uint64_t count, std::uint64_t* spas, std::uint64_t& pinned);
  int pin_private(AddressSpace& space, const Vma& vma, std::uint64_t va, std::uint64_t count, bool write,
                  std::uint64_t* spas, std::uint64_t& pinned);
  int move_huge(AddressSpace& space, const Vma& vma, std::uint64_t va);
  void drop_if_unused(const Place& place);
  template <class Show>
  int pin_shared(Key key, unsigned slot, std::uint64_t count, bool write, bool writable, std::uint64_t* spas,
                 std::uint64_t& pinned, Show show);
  void collect(AddressSpace& space);

  RamFile& ram_;
  std::mutex lock_;  // a leaf but for the host's system calls; guards what follows
  std::map<Key, std::vector<std::uint64_t>> by_key_;
  std::map<std::uint64_t, std::unique_ptr<Block>> blocks_;  // by index
  std::vector<std::uint64_t> free_blocks_;
  std::uint64_t next_block_ = RamFile::kUserStart / kBlockBytes;
  std::uint64_t idle_ = 0;  // moved, without a pin
  std::uint64_t collect_at_ = 2048;
};

}  // namespace iommusim::preload
