// SPDX-License-Identifier: Apache-2.0
// A device of the system together with the program that drives it. Hardware first (constructor: modules and their
// sockets), then, in the thread of the kernel: open (bind, attach, map), run, close (unmap, detach).
#pragma once

#include <string>
#include <vector>

#include "devices/pattern.h"
#include "tlm/systemc.h"

namespace iommusim::platform {

class Kernel;

class Workload {
 public:
  virtual ~Workload() = default;
  /// Initiator sockets of the device's functions, each for a port of the bus, and a name for each.
  virtual std::vector<bus::InitiatorSocket*> sockets() = 0;
  virtual std::vector<std::string> port_names() const = 0;
  /// Its name among SystemParams::devices; empty: it is none of those.
  virtual std::string device_name() const { return {}; }
  /// PCI ids of the functions behind each port, as port_names(); empty: known only to itself.
  virtual std::vector<std::vector<std::uint32_t>> functions() const { return {}; }

  // In a thread of the simulated OS; they may wait.
  virtual void open(Kernel& kernel) = 0;
  virtual void run(Kernel& kernel) = 0;
  virtual void close(Kernel& kernel) = 0;

  /// Of the work to be done, in [0, 1].
  virtual double progress() const = 0;
  virtual devices::Digest digest() const = 0;
  virtual std::uint64_t buffer_digest() const = 0;
  virtual std::uint64_t transfers() const = 0;  ///< DMAs that came back
  virtual std::uint64_t failed_transfers() const = 0;
  virtual std::uint64_t bytes_moved() const = 0;
};

}  // namespace iommusim::platform
