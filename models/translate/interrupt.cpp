// SPDX-License-Identifier: Apache-2.0
// Interrupt messages (IOMMU 5.18, 5.29).
#include "translate/interrupt.h"

#include "spec/causes.h"
#include "translate/byte_order.h"
#include "translate/registers.h"

namespace iommusim::translate {

bool InterruptMessage::pending(const Registers& registers) { return registers.due_message() >= 0; }

void InterruptMessage::start(Registers& registers) {
  const int vector = registers.due_message();
  has_fault_ = false;
  ask_.kind = AskKind::kDone;
  if (vector < 0) return;
  const auto entry = static_cast<unsigned>(vector);
  registers.take_message(entry);
  ask_.kind = AskKind::kWrite;
  ask_.memory.address = registers.message_address(entry);
  ask_.memory.bytes = 4;
  ask_.memory.structure = Structure::kInterruptMessage;
  ask_.memory.level = 0;
  ask_.memory.qos = registers.qos();
  ask_.memory.data[0] = to_host(registers.message_data(entry), 4, registers.big_endian());
}

/// IOMMU 5.29: a failed message is reported with TTYP 0 and the address of the message in iotval.
void InterruptMessage::memory(const MemoryAnswer& answer) {
  has_fault_ = answer.status != MemoryStatus::kOk;
  fault_ = {};
  fault_.cause = static_cast<std::uint16_t>(spec::Cause::kMsiWriteAccessFault);
  fault_.iotval = ask_.memory.address;
  ask_.kind = AskKind::kDone;
}

}  // namespace iommusim::translate
