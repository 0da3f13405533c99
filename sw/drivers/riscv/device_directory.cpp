// SPDX-License-Identifier: Apache-2.0
// The ddtp register and the tables below it.
#include "drivers/riscv/device_directory.h"

#include <array>
#include <cerrno>

namespace iommusim::drivers::riscv {
namespace {

std::uint64_t ddtp_mode(std::uint64_t ddtp) {
  return field_of(ddtp, hw::ddtp::kIommuModeMask, hw::ddtp::kIommuModeShift);
}
std::uint64_t ddtp_root(std::uint64_t ddtp) { return field_of(ddtp, hw::ddtp::kPpnMask, hw::ddtp::kPpnShift) << 12; }
std::uint64_t ddtp_of(std::uint64_t mode, std::uint64_t root) {
  return (mode << hw::ddtp::kIommuModeShift) | ((root >> 12) << hw::ddtp::kPpnShift);
}
bool is_unused_mode(std::uint64_t mode) { return mode == hw::iommu_mode::kOff || mode == hw::iommu_mode::kBare; }
std::uint64_t ddte_table(std::uint64_t entry) { return field_of(entry, hw::ddte::kPpnMask, hw::ddte::kPpnShift) << 12; }

}  // namespace

bool DeviceDirectory::read_idle(std::uint64_t& ddtp) {
  return poll_until(ports_.os, kDdtpLimitNs, [&] {
    ddtp = ports_.mmio.read64(hw::kDdtpOffset);
    return (ddtp & hw::ddtp::kBusyMask) == 0;
  });
}

int DeviceDirectory::check_unused() {
  const std::uint64_t ddtp = ports_.mmio.read64(hw::kDdtpOffset);
  return (ddtp & hw::ddtp::kBusyMask) != 0 || !is_unused_mode(ddtp_mode(ddtp)) ? EBUSY : 0;
}

int DeviceDirectory::allocate_root(bool extended) {
  extended_ = extended;
  std::uint64_t ddtp = 0;
  if (!read_idle(ddtp)) return EBUSY;
  // IOMMU 5.5: PPN is WARL; one that stays when 0 is written is the only one.
  ports_.mmio.write64(hw::kDdtpOffset, ddtp_of(ddtp_mode(ddtp), 0));
  if (!read_idle(ddtp)) return EBUSY;
  root_ = ddtp_root(ddtp);
  fixed_root_ = root_ != 0;
  if (fixed_root_) {
    static constexpr std::array<unsigned char, 4096> kZeros{};
    ports_.memory.write(root_, kZeros.data(), kZeros.size());
    return 0;
  }
  root_ = ports_.frames.alloc(0);
  return root_ != 0 ? 0 : ENOMEM;
}

int DeviceDirectory::switch_on(unsigned max_levels) {
  for (unsigned levels = max_levels; levels > 0; --levels) {
    const std::uint64_t mode = hw::iommu_mode::k1Lvl + levels - 1;
    ports_.mmio.write64(hw::kDdtpOffset, ddtp_of(mode, root_));
    std::uint64_t ddtp = 0;
    if (!read_idle(ddtp)) return EBUSY;
    if (ddtp_mode(ddtp) == mode) {
      levels_ = built_levels_ = levels;
      return ddtp_root(ddtp) == root_ ? 0 : ENODEV;
    }
    // IOMMU 5.5: from one directory mode to another is UNSPECIFIED; never try.
    if (!is_unused_mode(ddtp_mode(ddtp))) return EINVAL;
  }
  return ENODEV;
}

int DeviceDirectory::switch_off() {
  levels_ = 0;
  ports_.mmio.write64(hw::kDdtpOffset, ddtp_of(hw::iommu_mode::kOff, root_));  // IOMMU 5.5: PPN must not change
  std::uint64_t ddtp = 0;
  return read_idle(ddtp) ? 0 : EBUSY;
}

unsigned DeviceDirectory::shift_of(unsigned level) const {
  if (level == 0) return 0;
  return (extended_ ? 6U : 7U) + 9 * (level - 1);
}

int DeviceDirectory::locate(std::uint32_t device_id, std::uint64_t& context_out) {
  if (levels_ == 0) return ENODEV;
  // IOMMU 2.1: 7, 9, 8 bits of device id in the base format, 6, 9, 9 in the extended one.
  const unsigned width = levels_ == 3 ? 24 : shift_of(levels_);
  if (device_id >= 1ULL << width) return ENODEV;
  std::uint64_t table = root_;
  for (unsigned level = levels_ - 1; level > 0; --level) {
    const std::uint64_t slot = table + ((device_id >> shift_of(level)) & 511U) * hw::kDirectoryEntryBytes;
    std::uint64_t entry = ports_.memory.load64(slot);
    if ((entry & hw::ddte::kVMask) == 0) {
      const std::uint64_t fresh = ports_.frames.alloc(0);
      if (fresh == 0) return ENOMEM;
      const std::uint64_t link = hw::ddte::kVMask | ((fresh >> 12) << hw::ddte::kPpnShift);
      if (ports_.memory.compare_exchange64(slot, entry, link))
        entry = link;
      else
        ports_.frames.free(fresh, 0);  // `entry` is the winner's
    }
    table = ddte_table(entry);
  }
  context_out = table + std::uint64_t{device_id & ((1U << shift_of(1)) - 1)} * context_bytes();
  return 0;
}

void DeviceDirectory::release() {
  if (root_ != 0 && built_levels_ != 0) release_table(root_, built_levels_ - 1);
  if (root_ != 0 && !fixed_root_) ports_.frames.free(root_, 0);
  root_ = 0;
  built_levels_ = 0;
}

/// Frees what hangs below `table`, not the table itself.
void DeviceDirectory::release_table(std::uint64_t table, unsigned level) {
  if (level == 0) return;
  for (unsigned i = 0; i < 512; ++i) {
    const std::uint64_t entry = ports_.memory.load64(table + i * hw::kDirectoryEntryBytes);
    if ((entry & hw::ddte::kVMask) == 0) continue;
    release_table(ddte_table(entry), level - 1);
    ports_.frames.free(ddte_table(entry), 0);
  }
}

}  // namespace iommusim::drivers::riscv
