// SPDX-License-Identifier: Apache-2.0
// Invalidations of a guest, written as commands for the queue of its IOMMU, carried out on ours: each is judged bit by
// bit, gets the GSCID of the guest, and names physical devices instead of virtual ones. Nothing that a guest writes
// reaches hardware unjudged.
#pragma once

#include <functional>

#include "drivers/riscv/command_queue.h"
#include "uapi/iommufd_riscv.h"

namespace iommusim::drivers::riscv {

class RiscvDevice;
class RiscvIommu;

/// Who the guest's device numbers are. Both may be empty functions: then commands that name devices are not taken.
struct GuestDevices {
  std::function<RiscvDevice*(std::uint32_t virtual_id)> find;  ///< null: there is no such device
  std::function<void(const std::function<void(RiscvDevice&)>&)> for_each;
};

class GuestCommands {
 public:
  GuestCommands(RiscvIommu& iommu, std::uint32_t gscid, GuestDevices devices);

  /// One command. 0; EINVAL (reserved bits, or an operand that the IOMMU does not have); EOPNOTSUPP (not a command for
  /// guests); EIO (an unknown device, or one that does not answer; the queue is dead).
  int run(const uapi::riscv_invalidate& entry);
  /// Waits until all are done. 0, EIO.
  int finish();

 private:
  int iotinval(Command command);
  int iofence(const Command& command);
  int iodir(const Command& command);
  int ats(const Command& command);

  RiscvIommu& iommu_;
  const std::uint32_t gscid_;
  const GuestDevices devices_;
  CommandBatch batch_;
};

}  // namespace iommusim::drivers::riscv
