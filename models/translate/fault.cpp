// SPDX-License-Identifier: Apache-2.0
// Fault-queue records (IOMMU 3.2).
#include "translate/fault.h"

#include "spec/formats.h"
#include "translate/byte_order.h"
#include "translate/registers.h"

namespace iommusim::translate {

namespace fault0 = spec::fault_w0;

/// IOMMU 3.2, figure "Fault-queue record".
std::array<std::uint64_t, 4> encode(const FaultRecord& record) {
  const std::uint64_t word0 = fault0::kCause.of(record.cause) | fault0::kPid.of(record.process.value) |
                              fault0::kPv.of(record.process_valid ? 1 : 0) |
                              fault0::kPriv.of(record.privileged ? 1 : 0) | fault0::kTtyp.of(record.transaction_type) |
                              fault0::kDid.of(record.device.value);
  return {word0, 0, record.iotval, record.iotval2};
}

/// IOMMU 3.2: a record that finds the queue full sets fqof; while an error bit is set, or the queue is off, records are
/// discarded.
void FaultReport::start(const FaultRecord& record, Registers& registers) {
  registers_ = &registers;
  written_ = false;
  ask_.kind = AskKind::kDone;
  if (!registers.fault_queue_accepts()) return;
  if (registers.fault_queue_full()) return registers.fault_queue_failed(spec::fqcsr::kFqof);
  ask_.kind = AskKind::kWrite;
  ask_.memory.address = registers.fault_record_address();
  ask_.memory.bytes = spec::kFaultRecordBytes;
  ask_.memory.structure = Structure::kFaultQueue;
  ask_.memory.level = 0;
  ask_.memory.qos = registers.qos();
  const std::array<std::uint64_t, 4> words = encode(record);
  for (unsigned i = 0; i < words.size(); ++i) ask_.memory.data[i] = to_host(words[i], 8, registers.big_endian());
}

/// IOMMU 5.16: a store that fails sets fqmf and the record is lost; else the tail moves and fip is raised.
void FaultReport::memory(const MemoryAnswer& answer) {
  ask_.kind = AskKind::kDone;
  if (answer.status != MemoryStatus::kOk) return registers_->fault_queue_failed(spec::fqcsr::kFqmf);
  registers_->fault_record_written();
  written_ = true;
}

}  // namespace iommusim::translate
