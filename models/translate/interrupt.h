// SPDX-License-Identifier: Apache-2.0
// How pending conditions leave the IOMMU (IOMMU 5.18, 5.28, 5.29): as wire levels, or as messages written to memory.
#pragma once

#include "translate/ask.h"
#include "translate/fault.h"

namespace iommusim::translate {

class Registers;

/// Sends one pending message of the table msi_cfg_tbl. The driver starts it when pending() is true.
class InterruptMessage {
 public:
  static bool pending(const Registers& registers);
  /// Asks for one kWrite of 4 bytes.
  void start(Registers& registers);
  const Ask& ask() const { return ask_; }
  void memory(const MemoryAnswer& answer);
  /// Valid when done: the write failed, this is to be reported (cause 273).
  bool has_fault() const { return has_fault_; }
  const FaultRecord& fault() const { return fault_; }

 private:
  Ask ask_{};
  bool has_fault_ = false;
  FaultRecord fault_{};
};

}  // namespace iommusim::translate
