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

/// All first-stage translations of one virtual machine.
constexpr Command iotinval_of_guest(std::uint32_t gscid) {
  Command command = iotinval_all();
  command[0] |= hw::iotinval_w0::kGvMask | (std::uint64_t{gscid} << hw::iotinval_w0::kGscidShift);
  return command;
}

/// All second-stage translations of one virtual machine.
constexpr Command iotinval_second_stage(std::uint32_t gscid) {
  return {(hw::opcode::kIotinval << hw::iotinval_w0::kOpcodeShift) |
              (hw::iotinval_func3::kGvma << hw::iotinval_w0::kFunc3Shift) | hw::iotinval_w0::kGvMask |
              (std::uint64_t{gscid} << hw::iotinval_w0::kGscidShift),
          0};
}

/// Of what an IOTINVAL names, the leaves of the 2^log2 bytes from `address` on, which are aligned to their size.
/// IOMMU 8.3: a size of more than 4 KiB needs capabilities.S, and is coded by the lowest 0 bit of ADDR.
constexpr Command narrowed(Command command, std::uint64_t address, unsigned log2 = 12) {
  command[0] |= hw::iotinval_w0::kAvMask;
  const std::uint64_t ones = log2 == 12 ? 0 : (1ULL << (log2 - 13)) - 1;
  command[1] = (((address >> 12) | ones) << hw::iotinval_w1::kAddrShift) | (log2 == 12 ? 0 : hw::iotinval_w1::kSMask);
  return command;
}

/// IOMMU 8.2: the entries that lead to these leaves, too; needs capabilities.NL.
constexpr Command with_non_leaf(Command command) {
  command[0] |= hw::iotinval_w0::kNlMask;
  return command;
}

/// The leaf that translates `iova` in one address space.
constexpr Command iotinval_page(std::uint32_t pscid, std::uint64_t iova) {
  return narrowed(iotinval_pscid(pscid), iova);
}

/// Waits for all earlier commands.
constexpr Command iofence_commands() {
  return {
      (hw::opcode::kIofence << hw::iofence_w0::kOpcodeShift) | (hw::iofence_func3::kC << hw::iofence_w0::kFunc3Shift),
      0};
}

/// The same, and orders the device reads and writes that they may have let through.
constexpr Command iofence() {
  Command command = iofence_commands();
  command[0] |= hw::iofence_w0::kPrMask | hw::iofence_w0::kPwMask;
  return command;
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

/// The cached process context of one process of one device.
constexpr Command inval_pdt(std::uint32_t device_id, std::uint32_t process_id) {
  return {(hw::opcode::kIodir << hw::iodir_w0::kOpcodeShift) |
              (hw::iodir_func3::kInvalPdt << hw::iodir_w0::kFunc3Shift) | hw::iodir_w0::kDvMask |
              (std::uint64_t{device_id} << hw::iodir_w0::kDidShift) |
              (std::uint64_t{process_id} << hw::iodir_w0::kPidShift),
          0};
}

/// To a PCIe function: its requester id, and its segment if that is not 0.
constexpr std::uint64_t ats_destination(std::uint64_t func3, std::uint32_t device_id) {
  const std::uint64_t segment = device_id >> 16;
  return (hw::opcode::kAts << hw::ats_w0::kOpcodeShift) | (func3 << hw::ats_w0::kFunc3Shift) |
         (std::uint64_t{device_id & 0xffff} << hw::ats_w0::kRidShift) |
         (segment != 0 ? hw::ats_w0::kDsvMask | (segment << hw::ats_w0::kDsegShift) : 0);
}

/// The body of an ATS invalidation request for [start, last], or for the smallest larger range that it can name. PCIe:
/// with S (bit 11) the size is coded by the lowest 0 bit of the address from bit 12 on.
constexpr std::uint64_t ats_range(std::uint64_t start, std::uint64_t last) {
  unsigned log2 = 12;
  while (log2 < 64 && (start >> log2) != (last >> log2)) ++log2;
  if (log2 == 12) return start & ~0xfffULL;
  const std::uint64_t base = log2 == 64 ? 0 : start >> log2 << log2;
  return base | (((1ULL << (log2 - 1)) - 1) & ~0xfffULL) | (1ULL << 11);
}

/// Translations without PASID of [start, last] in the device's own cache.
constexpr Command ats_inval(std::uint32_t device_id, std::uint64_t start, std::uint64_t last) {
  return {ats_destination(hw::ats_func3::kInval, device_id), ats_range(start, last)};
}
/// Translations with that PASID.
constexpr Command ats_inval_of_process(std::uint32_t device_id, std::uint32_t process, std::uint64_t start,
                                       std::uint64_t last) {
  Command command = ats_inval(device_id, start, last);
  command[0] |= hw::ats_w0::kPvMask | (std::uint64_t{process} << hw::ats_w0::kPidShift);
  return command;
}

/// Translations with any PASID. PCIe: Global Invalidate (bit 0), which a device may lack.
constexpr Command ats_inval_of_every_process(std::uint32_t device_id, std::uint64_t start, std::uint64_t last) {
  Command command = ats_inval_of_process(device_id, 0, start, last);
  command[1] |= 1;
  return command;
}

/// The answer to a group of page requests. Codes: 0 success, 1 invalid request, 15 failure.
constexpr Command ats_prgr(std::uint32_t device_id, std::uint32_t group, std::uint64_t code) {
  return {ats_destination(hw::ats_func3::kPrgr, device_id), (std::uint64_t{group & 0x1ff} << 32) | (code << 44)};
}
constexpr Command ats_prgr_of_process(std::uint32_t device_id, std::uint32_t process, std::uint32_t group,
                                      std::uint64_t code) {
  Command command = ats_prgr(device_id, group, code);
  command[0] |= hw::ats_w0::kPvMask | (std::uint64_t{process} << hw::ats_w0::kPidShift);
  return command;
}

}  // namespace iommusim::drivers::riscv
