// SPDX-License-Identifier: Apache-2.0
// What a guest may ask for, command by command.
#include "drivers/riscv/guest_commands.h"

#include <cerrno>

#include "drivers/riscv/riscv_device.h"
#include "drivers/riscv/riscv_iommu.h"

namespace iommusim::drivers::riscv {
namespace {

std::uint64_t guest_func3(const Command& command) {
  return field_of(command[0], hw::command::kFunc3Mask, hw::command::kFunc3Shift);
}

/// The range that an ATS invalidation names, see ats_range().
void ats_range_of(std::uint64_t body, std::uint64_t& start, std::uint64_t& last) {
  unsigned log2 = 12;
  if ((body & (1ULL << 11)) != 0) {
    while (log2 < 63 && ((body >> log2) & 1) != 0) ++log2;
    ++log2;
  }
  start = log2 >= 64 ? 0 : body >> log2 << log2;
  last = log2 >= 64 ? ~0ULL : start + ((1ULL << log2) - 1);
}

}  // namespace

GuestCommands::GuestCommands(RiscvIommu& iommu, std::uint32_t gscid, GuestDevices devices)
    : iommu_(iommu),
      gscid_(gscid),
      devices_(std::move(devices)),
      batch_(iommu.commands(), iommu.options().command_batch) {}

int GuestCommands::run(const uapi::riscv_invalidate& entry) {
  const Command command{entry.command[0], entry.command[1]};
  switch (command[0] & hw::command::kOpcodeMask) {
    case hw::opcode::kIotinval:
      return iotinval(command);
    case hw::opcode::kIofence:
      return iofence(command);
    case hw::opcode::kIodir:
      return iodir(command);
    case hw::opcode::kAts:
      return ats(command);
    default:
      return EOPNOTSUPP;
  }
}

int GuestCommands::finish() {
  std::uint64_t slot = 0;
  return batch_.close(slot) != 0 || iommu_.commands().wait_for_fence(slot) != 0 ? EIO : 0;
}

/// The guest's first stage is the hardware's first stage in the guest's GSCID. Guests have no second stage.
int GuestCommands::iotinval(Command command) {
  namespace word0 = hw::iotinval_w0;
  namespace word1 = hw::iotinval_w1;
  if (guest_func3(command) != hw::iotinval_func3::kVma) return EOPNOTSUPP;
  constexpr std::uint64_t kKnown0 = word0::kOpcodeMask | word0::kFunc3Mask | word0::kAvMask | word0::kPscidMask |
                                    word0::kPscvMask | word0::kGvMask | word0::kNlMask | word0::kGscidMask;
  if ((command[0] & ~kKnown0) != 0 || (command[1] & ~(word1::kSMask | word1::kAddrMask)) != 0) return EINVAL;
  const bool range = (command[1] & word1::kSMask) != 0;
  if ((command[0] & word0::kNlMask) != 0 && (iommu_.capabilities() & hw::capabilities::kNlMask) == 0) return EINVAL;
  if (range && (iommu_.capabilities() & hw::capabilities::kSMask) == 0) return EINVAL;
  if (range && (command[1] & word1::kAddrMask) == word1::kAddrMask) return EINVAL;  // IOMMU 8.3: UNSPECIFIED
  command[0] &= ~word0::kGscidMask;
  command[0] |= word0::kGvMask | (std::uint64_t{gscid_} << word0::kGscidShift);
  return batch_.add(command) != 0 ? EIO : 0;
}

/// Every call ends with a fence. What else a fence can do, the guest's machine does: write memory, interrupt.
int GuestCommands::iofence(const Command& command) {
  namespace word0 = hw::iofence_w0;
  if (guest_func3(command) != hw::iofence_func3::kC) return EOPNOTSUPP;
  if ((command[0] & (word0::kAvMask | word0::kWsiMask)) != 0) return EOPNOTSUPP;
  constexpr std::uint64_t kKnown = word0::kOpcodeMask | word0::kFunc3Mask | word0::kPrMask | word0::kPwMask;
  return (command[0] & ~kKnown) != 0 || command[1] != 0 ? EINVAL : 0;
}

int GuestCommands::iodir(const Command& command) {
  namespace word0 = hw::iodir_w0;
  const std::uint64_t func3 = guest_func3(command);
  if (!devices_.find || func3 > hw::iodir_func3::kInvalPdt) return EOPNOTSUPP;
  constexpr std::uint64_t kKnown =
      word0::kOpcodeMask | word0::kFunc3Mask | word0::kPidMask | word0::kDvMask | word0::kDidMask;
  const bool process = func3 == hw::iodir_func3::kInvalPdt, named = (command[0] & word0::kDvMask) != 0;
  if ((command[0] & ~kKnown) != 0 || command[1] != 0) return EINVAL;
  const auto pid = static_cast<std::uint32_t>(field_of(command[0], word0::kPidMask, word0::kPidShift));
  if (process ? !named || (pid >> ProcessDirectory::widest(iommu_.capabilities())) != 0 : pid != 0) return EINVAL;
  int error = 0;
  const auto send = [&](RiscvDevice& device) {
    error = device.for_each_id(
        [&](std::uint32_t id) { return batch_.add(process ? inval_pdt(id, pid) : inval_ddt(id)) != 0 ? EIO : 0; });
  };
  if (!named) {
    devices_.for_each([&](RiscvDevice& device) {
      if (error == 0) send(device);
    });
    return error;
  }
  RiscvDevice* const device =
      devices_.find(static_cast<std::uint32_t>(field_of(command[0], word0::kDidMask, word0::kDidShift)));
  if (device == nullptr) return EIO;
  send(*device);
  return error;
}

/// Done at once, after what came before: the driver must know whether this device answers. Answers to page requests go
/// by the fault queue instead.
int GuestCommands::ats(const Command& command) {
  namespace word0 = hw::ats_w0;
  if (!devices_.find || !iommu_.uses_ats() || guest_func3(command) != hw::ats_func3::kInval) return EOPNOTSUPP;
  constexpr std::uint64_t kKnown = word0::kOpcodeMask | word0::kFunc3Mask | word0::kPidMask | word0::kPvMask |
                                   word0::kDsvMask | word0::kRidMask | word0::kDsegMask;
  if ((command[0] & ~kKnown) != 0) return EINVAL;
  const std::uint64_t segment =
      (command[0] & word0::kDsvMask) != 0 ? field_of(command[0], word0::kDsegMask, word0::kDsegShift) : 0;
  const auto id = static_cast<std::uint32_t>(segment << 16 | field_of(command[0], word0::kRidMask, word0::kRidShift));
  RiscvDevice* const device = devices_.find(id);
  if (device == nullptr) return EIO;
  if (!device->atc().on()) return 0;
  DeviceAtc::Process process;
  if ((command[0] & word0::kPvMask) != 0)
    process = static_cast<std::uint32_t>(field_of(command[0], word0::kPidMask, word0::kPidShift));
  std::uint64_t start = 0, last = 0;
  ats_range_of(command[1], start, last);
  if (finish() != 0) return EIO;
  if (device->atc().again(start, last, process)) return 0;
  device->isolate();
  return EIO;
}

}  // namespace iommusim::drivers::riscv
