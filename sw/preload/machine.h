// SPDX-License-Identifier: Apache-2.0
// The machine that a real program runs on, as the preload library needs it: an operating system, memory, IOMMUs with
// their driver, PCI functions. One is made at the program's first open of a device node, and lives until the process
// ends; nothing of it runs before. Two exist: one with mock hardware on plain threads, one with the simulated hardware.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hal/hardware.h"
#include "iommufd/host.h"
#include "vfio/pci_function.h"

namespace iommusim::preload {

/// System memory: physical [0, bytes) is what the host shows at `base`, all of it, for as long as the process lives.
/// [0, user_start) is the machine's own (page tables, queues); from there on lie the pages of the program that are
/// pinned, and nobody but the preload library changes what is mapped there. Reading it cannot fault.
struct Ram {
  unsigned char* base = nullptr;
  std::uint64_t user_start = 0;  ///< multiple of 2 MiB
  std::uint64_t bytes = 0;
};

/// A PCI function, at its place in the machine.
struct PciSlot {
  std::string address;  ///< as sysfs names it: 0000:00:04.0
  vfio::PciFunction* function = nullptr;
  domain::Device* device = nullptr;  ///< the same, as the IOMMU's driver knows it; its group is the IOMMU group
};

/// An ioctl of the program, from its begin to its end.
class CallRecord {
 public:
  virtual ~CallRecord() = default;
  virtual void ended(std::int64_t result) = 0;
};

class Machine {
 public:
  virtual ~Machine() = default;
  /// Contexts are opened on it; its memory is the Ram, its observer may let simulated time pass.
  virtual iommufd::Host& host() = 0;
  /// The same slots, in the same order, as the tree of sysfs that was made before the program started.
  virtual const std::vector<PciSlot>& slots() const = 0;

  // Around each call of the program into a file or a BAR, by the thread that makes it. Any number of threads may be
  // inside at the same time.
  virtual void call_begins() {}
  virtual void call_ends() {}
  /// Between the two, of an ioctl on a file of that name. May be null.
  virtual std::unique_ptr<CallRecord> ioctl_begins(const char* /*file*/, std::uint32_t /*command*/,
                                                   std::uint64_t /*argument*/) {
    return nullptr;
  }

  /// The program ends in an orderly way: no more calls come; write what is to be written.
  virtual void finish() {}
};

/// `memory` is the Ram as software reaches it. `arguments`: what `iommusim exec` was told about the machine, as
/// NAME=VALUE. Throws std::exception with a message.
using MachineMaker = std::unique_ptr<Machine> (*)(const Ram& ram, hal::Memory& memory,
                                                  const std::vector<std::string>& arguments);

}  // namespace iommusim::preload
