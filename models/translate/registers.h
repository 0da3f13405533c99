// SPDX-License-Identifier: Apache-2.0
// The register file (IOMMU 5): every register with its WARL behaviour, write-1-to-clear bits, busy bits and interrupt
// conditions. Reads and writes have no time. A write that starts something (queue on/off, ddtp) sets its busy bit and an
// effect; who drives the IOMMU does the work and calls finish_*(), which makes the new value the one in force.
#pragma once

#include <cstdint>

#include "spec/parameters.h"
#include "spec/registers.h"

namespace iommusim::translate {

class Registers {
 public:
  explicit Registers(const spec::Implementation& implementation);
  /// All registers to their reset values.
  void reset();

  /// `offset` within the 4 KiB register page, `bytes` 4 or 8, naturally aligned; anything else reads 0 and writes nothing.
  std::uint64_t read(std::uint32_t offset, unsigned bytes) const;
  void write(std::uint32_t offset, unsigned bytes, std::uint64_t value);

  /// What earlier writes started and nobody finished yet.
  bool ddtp_busy() const;
  bool command_queue_busy() const;
  bool fault_queue_busy() const;
  bool page_request_queue_busy() const;
  /// Makes the pending ddtp the one in force; caches that depend on the old one are the driver's business.
  void finish_ddtp();
  void finish_command_queue();
  void finish_fault_queue();
  void finish_page_request_queue();

  /// Wire levels, one bit a vector (only with fctl.WSI = 1).
  std::uint16_t wires() const;

  const spec::Implementation& implementation() const { return implementation_; }

 private:
  spec::Implementation implementation_;
};

}  // namespace iommusim::translate
