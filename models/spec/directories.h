// SPDX-License-Identifier: Apache-2.0
// How device and process directories are indexed (IOMMU 2.1, 2.2), and what writes them into a memory: for tests, and
// for systems that begin with tables instead of a driver. `Memory` is that of spec/page_tables.h.
#pragma once

#include "spec/contexts.h"
#include "spec/page_tables.h"

namespace iommusim::spec {

/// IOMMU 2.1.2: a leaf page holds 128 contexts of 32 bytes, or 64 of 64; the indexes above have nine bits, of which the
/// base format's last has eight left.
inline constexpr unsigned kDirectoryIndexBits = 9;
constexpr unsigned device_leaf_bits(bool extended) { return extended ? 6 : 7; }
constexpr unsigned device_directory_index(std::uint32_t device, unsigned level, bool extended) {
  const unsigned leaf_bits = device_leaf_bits(extended);
  if (level == 0) return static_cast<unsigned>(base::bits(device, 0, leaf_bits));
  return static_cast<unsigned>(base::bits(device, leaf_bits + kDirectoryIndexBits * (level - 1), kDirectoryIndexBits));
}
/// A directory of so many levels reaches these bits of a device_id.
constexpr unsigned device_directory_bits(unsigned levels, bool extended) {
  return device_leaf_bits(extended) + kDirectoryIndexBits * (levels - 1);
}

/// IOMMU 2.2: PDI[0] has 8 bits and indexes contexts of 16 bytes; PDI[1] has 9 bits, PDI[2] 3.
inline constexpr std::uint8_t kProcessLeafBits = 8;
constexpr std::uint64_t process_directory_offset(std::uint32_t process, unsigned level) {
  if (level == 0) return base::bits(process, 0, kProcessLeafBits) * kProcessContextBytes;
  return base::bits(process, kProcessLeafBits + kDirectoryIndexBits * (level - 1), kDirectoryIndexBits) *
         kDirectoryEntryBytes;
}
/// PD8, PD17, PD20.
constexpr unsigned process_directory_bits(unsigned levels) { return levels == 1 ? 8 : levels == 2 ? 17 : 20; }

template <class Memory>
class DeviceDirectory {
 public:
  /// `root` is an empty page, or a directory that is there already.
  DeviceDirectory(Memory& memory, Frames& frames, unsigned levels, bool extended, std::uint64_t root)
      : memory_(memory), frames_(frames), levels_(levels), extended_(extended), root_(root) {}

  unsigned context_bytes() const { return extended_ ? kDeviceContextExtendedBytes : kDeviceContextBaseBytes; }
  /// Address of the non-leaf entry (level 1, 2) or of the context (level 0); makes the tables above when missing.
  std::uint64_t entry(std::uint32_t device, unsigned level = 0) {
    std::uint64_t table = root_;
    for (unsigned i = levels_ - 1; i > level; --i) {
      const std::uint64_t at = table + device_directory_index(device, i, extended_) * kDirectoryEntryBytes;
      if (!ddte::kV.is_set(memory_.load(at)))
        memory_.store(at, ddte::kPpn.of(frames_.take() >> base::kPageShift) | ddte::kV.mask());
      table = ddte::kPpn.get(memory_.load(at)) << base::kPageShift;
    }
    return table +
           device_directory_index(device, level, extended_) * (level == 0 ? context_bytes() : kDirectoryEntryBytes);
  }
  void set(std::uint32_t device, const DeviceContext& context) {
    const std::uint64_t address = entry(device);
    for (unsigned i = 0; i < context_bytes() / 8; ++i) memory_.store(address + 8 * i, context.words[i]);
  }

  std::uint64_t root() const { return root_; }

 private:
  Memory& memory_;
  Frames& frames_;
  unsigned levels_;
  bool extended_;
  std::uint64_t root_;
};

/// The process directory of one device: in guest memory under a second stage, which `tables` tells.
template <class Memory>
class ProcessDirectory {
 public:
  /// `tables` must outlive it.
  ProcessDirectory(Memory& memory, PageTables<Memory>& tables, unsigned levels)
      : memory_(memory), tables_(tables), levels_(levels), root_(tables.take_table()) {}

  std::uint64_t fsc() const { return dc_fsc::kMode.of(levels_) | root_ >> base::kPageShift; }
  /// System-physical address of the entry of this level; tables above it are made when missing.
  std::uint64_t entry(std::uint32_t process, unsigned level = 0) {
    std::uint64_t table = root_;
    for (unsigned i = levels_ - 1; i > level; --i) {
      const std::uint64_t at = tables_.spa_of_table(table) + process_directory_offset(process, i);
      if (!pdte::kV.is_set(memory_.load(at)))
        memory_.store(at, pdte::kPpn.of(tables_.take_table() >> base::kPageShift) | pdte::kV.mask());
      table = pdte::kPpn.get(memory_.load(at)) << base::kPageShift;
    }
    return tables_.spa_of_table(table) + process_directory_offset(process, level);
  }
  void set(std::uint32_t process, const ProcessContext& context) {
    memory_.store(entry(process), context.words[0]);
    memory_.store(entry(process) + 8, context.words[1]);
  }

 private:
  Memory& memory_;
  PageTables<Memory>& tables_;
  unsigned levels_;
  std::uint64_t root_;
};

}  // namespace iommusim::spec
