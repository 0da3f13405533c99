// SPDX-License-Identifier: Apache-2.0
// Tables of process contexts. Calls for one device are serialised by its contexts' lock.
#include "drivers/riscv/process_directory.h"

#include <cerrno>

namespace iommusim::drivers::riscv {
namespace {

/// IOMMU 2.2: PASID bits below those that index a level, and how many entries of a table there are in use.
constexpr unsigned shift_of_level(unsigned level) { return level == 0 ? 0 : 8 + 9 * (level - 1); }
constexpr unsigned index_mask(unsigned level) { return level == 0 ? 0xff : 0x1ff; }
constexpr unsigned bits_of_levels(unsigned levels) { return levels == 1 ? 8 : levels == 2 ? 17 : 20; }

bool has_levels(std::uint64_t capabilities, unsigned levels) {
  switch (levels) {
    case 1:
      return (capabilities & hw::capabilities::kPd8Mask) != 0;
    case 2:
      return (capabilities & hw::capabilities::kPd17Mask) != 0;
    default:
      return (capabilities & hw::capabilities::kPd20Mask) != 0;
  }
}

unsigned levels_for(std::uint64_t capabilities, unsigned bits) {
  unsigned deepest = 0;
  for (unsigned levels = 1; levels <= 3; ++levels) {
    if (!has_levels(capabilities, levels)) continue;
    deepest = levels;
    if (bits_of_levels(levels) >= bits) break;
  }
  return deepest;
}

}  // namespace

unsigned ProcessDirectory::widest(std::uint64_t capabilities) {
  const unsigned levels = levels_for(capabilities, 20);
  return levels == 0 ? 0 : bits_of_levels(levels);
}

ProcessDirectory::ProcessDirectory(const Ports& ports, std::uint64_t capabilities, unsigned bits)
    : ports_(ports), levels_(levels_for(capabilities, bits)) {}

ProcessDirectory::~ProcessDirectory() {
  if (root_ == 0) return;
  release(root_, levels_ - 1);
  ports_.frames.free(root_, 0);
}

void ProcessDirectory::release(std::uint64_t table, unsigned level) {
  if (level == 0) return;
  for (unsigned i = 0; i <= index_mask(level); ++i) {
    const std::uint64_t entry = ports_.memory.load64(table + i * hw::kDirectoryEntryBytes);
    if ((entry & hw::pdte::kVMask) == 0) continue;
    const std::uint64_t below = field_of(entry, hw::pdte::kPpnMask, hw::pdte::kPpnShift) << 12;
    release(below, level - 1);
    ports_.frames.free(below, 0);
  }
}

int ProcessDirectory::locate(std::uint32_t process_id, std::uint64_t& context_out) {
  if (root_ == 0 && (root_ = ports_.frames.alloc(0)) == 0) return ENOMEM;
  std::uint64_t table = root_;
  for (unsigned level = levels_ - 1; level > 0; --level) {
    const std::uint64_t slot =
        table + ((process_id >> shift_of_level(level)) & index_mask(level)) * hw::kDirectoryEntryBytes;
    std::uint64_t entry = ports_.memory.load64(slot);
    if ((entry & hw::pdte::kVMask) == 0) {
      const std::uint64_t fresh = ports_.frames.alloc(0);
      if (fresh == 0) return ENOMEM;
      entry = hw::pdte::kVMask | ((fresh >> 12) << hw::pdte::kPpnShift);
      ports_.memory.store64(slot, entry);
    }
    table = field_of(entry, hw::pdte::kPpnMask, hw::pdte::kPpnShift) << 12;
  }
  context_out = table + std::uint64_t{process_id & index_mask(0)} * hw::kProcessContextBytes;
  return 0;
}

std::uint64_t ProcessDirectory::pdtp() const {
  const std::uint64_t mode = hw::pdtp_mode::kPd8 + levels_ - 1;
  return (mode << hw::dc_fsc::kModeShift) | ((root_ >> 12) << hw::dc_fsc::kPpnShift);
}

}  // namespace iommusim::drivers::riscv
