// SPDX-License-Identifier: Apache-2.0
// The commands that the driver sends, by name (IOMMU 3.1).
#pragma once

#include <array>

#include "drivers/riscv/ports.h"

namespace iommusim::drivers::riscv {

using Command = std::array<std::uint64_t, 2>;

/// First-stage translations of all host address spaces.
constexpr Command iotinval_all() {
  return {(hw::opcode::kIotinval << hw::iotinval_w0::kOpcodeShift) |
              (hw::iotinval_func3::kVma << hw::iotinval_w0::kFunc3Shift),
          0};
}

/// All first-stage translations of one address space.
constexpr Command iotinval_pscid(std::uint32_t pscid) {
  Command command = iotinval_all();
  command[0] |= hw::iotinval_w0::kPscvMask | (std::uint64_t{pscid} << hw::iotinval_w0::kPscidShift);
  return command;
}

/// The leaf that translates `iova` in one address space.
constexpr Command iotinval_page(std::uint32_t pscid, std::uint64_t iova) {
  Command command = iotinval_pscid(pscid);
  command[0] |= hw::iotinval_w0::kAvMask;
  command[1] = (iova >> 12) << hw::iotinval_w1::kAddrShift;
  return command;
}

/// Waits for all earlier commands, and orders the device reads and writes that they may have let through.
constexpr Command iofence() {
  return {(hw::opcode::kIofence << hw::iofence_w0::kOpcodeShift) |
              (hw::iofence_func3::kC << hw::iofence_w0::kFunc3Shift) | hw::iofence_w0::kPrMask |
              hw::iofence_w0::kPwMask,
          0};
}

/// All cached directory entries.
constexpr Command inval_ddt_all() {
  return {
      (hw::opcode::kIodir << hw::iodir_w0::kOpcodeShift) | (hw::iodir_func3::kInvalDdt << hw::iodir_w0::kFunc3Shift),
      0};
}

/// The cached context of one device.
constexpr Command inval_ddt(std::uint32_t device_id) {
  Command command = inval_ddt_all();
  command[0] |= hw::iodir_w0::kDvMask | (std::uint64_t{device_id} << hw::iodir_w0::kDidShift);
  return command;
}

}  // namespace iommusim::drivers::riscv
