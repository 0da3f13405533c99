// SPDX-License-Identifier: Apache-2.0
// A fault record before it is written (IOMMU 3.2), and the process that puts one into the fault queue in memory.
#pragma once

#include "translate/ask.h"

namespace iommusim::translate {

class Registers;

struct FaultRecord {
  std::uint16_t cause = 0;
  std::uint8_t transaction_type = 0;  ///< TTYP
  base::DeviceId device{};
  base::ProcessId process{};
  bool process_valid = false;
  bool privileged = false;
  std::uint64_t iotval = 0;
  std::uint64_t iotval2 = 0;
};

/// The record's four words, as the specification draws them.
std::array<std::uint64_t, 4> encode(const FaultRecord& record);

/// Writes one record, one at a time (the tail moves at the end): asks for one kWrite of 32 bytes, then moves the tail
/// and raises the interrupt condition. When the queue is off, full or in error it asks nothing, and sets fqof where the
/// specification says so (IOMMU 3.2).
class FaultReport {
 public:
  void start(const FaultRecord& record, Registers& registers);
  const Ask& ask() const { return ask_; }
  void memory(const MemoryAnswer& answer);
  /// Valid when done: the record reached the queue.
  bool written() const { return written_; }

 private:
  Ask ask_{};
  Registers* registers_ = nullptr;
  bool written_ = false;
};

}  // namespace iommusim::translate
