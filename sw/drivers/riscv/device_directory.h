// SPDX-License-Identifier: Apache-2.0
// The device directory in memory and the register that points to it (IOMMU 2.1, 5.5; riscv_driver.md 2, 3). Tables are
// only ever added while the IOMMU is up; two threads that add the same one keep the first, by compare-and-swap.
#pragma once

#include "drivers/riscv/ports.h"

namespace iommusim::drivers::riscv {

class DeviceDirectory {
 public:
  explicit DeviceDirectory(const Ports& ports) : ports_(ports) {}

  /// EBUSY unless ddtp is idle and Off or Bare: somebody else uses the IOMMU.
  int check_unused();
  /// The root page: a new one, or the one that hardware insists on. `extended`: contexts of 64 bytes.
  int allocate_root(bool extended);
  /// Off or Bare to the deepest supported directory of at most `max_levels`. 0, EINVAL, EBUSY, ENODEV.
  int switch_on(unsigned max_levels);
  /// Any mode to Off.
  int switch_off();
  /// Returns all memory; after switch_off().
  void release();

  /// Where the context of a device lies; adds the tables on the way. 0, ENODEV (the id is too large), ENOMEM.
  int locate(std::uint32_t device_id, std::uint64_t& context_out);

  unsigned levels() const { return levels_; }
  unsigned context_bytes() const { return extended_ ? hw::kDeviceContextExtendedBytes : hw::kDeviceContextBaseBytes; }

 private:
  bool read_idle(std::uint64_t& ddtp);
  void release_table(std::uint64_t table, unsigned level);
  unsigned shift_of(unsigned level) const;

  const Ports& ports_;
  bool extended_ = false;
  unsigned levels_ = 0;        // 0: off
  unsigned built_levels_ = 0;  // depth of what `locate` built
  std::uint64_t root_ = 0;
  bool fixed_root_ = false;
};

}  // namespace iommusim::drivers::riscv
