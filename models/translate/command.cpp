// SPDX-License-Identifier: Apache-2.0
// Decoding and execution of commands. A command that uses a reserved encoding or bit, or needs a capability that is
// absent, is illegal (IOMMU 3.1): cmd_ill is set and the head stays.
#include "translate/command.h"

#include "base/bits.h"
#include "spec/formats.h"
#include "translate/byte_order.h"
#include "translate/registers.h"

namespace iommusim::translate {

namespace iotinval0 = spec::iotinval_w0;
namespace iotinval1 = spec::iotinval_w1;
namespace iofence0 = spec::iofence_w0;
namespace iodir0 = spec::iodir_w0;
namespace ats0 = spec::ats_w0;

bool CommandExecution::pending(const Registers& registers) { return registers.command_waiting(); }

void CommandExecution::start(Registers& registers) {
  registers_ = &registers;
  opcode_ = func3_ = 0;
  completed_ = raise_fence_ = writes_fence_data_ = false;
  ask_.kind = AskKind::kRead;
  ask_.memory.address = registers.command_address();
  ask_.memory.bytes = spec::kCommandBytes;
  ask_.memory.structure = Structure::kCommandQueue;
  ask_.memory.level = 0;
  ask_.memory.qos = registers.qos();
}

/// IOMMU 5.15: cqmf tells of a fault of the fetch and of a fault of an access that a command makes.
void CommandExecution::memory(const MemoryAnswer& answer) {
  if (answer.status != MemoryStatus::kOk) return fail(spec::cqcsr::kCqmf);
  if (ask_.kind == AskKind::kWrite) return complete();
  const bool big_endian = registers_->big_endian();
  decode(to_host(answer.data[0], 8, big_endian), to_host(answer.data[1], 8, big_endian));
}

void CommandExecution::resume() {
  switch (ask_.kind) {
    case AskKind::kAwaitInvalidation:
      return opcode_ == spec::opcode::kIofence ? fence() : send_invalidation();
    case AskKind::kFence:
      if (!writes_fence_data_) return complete();
      ask_.kind = AskKind::kWrite;  // address and data are those of the command since decode_iofence()
      return;
    default:
      return complete();
  }
}

void CommandExecution::decode(std::uint64_t word0, std::uint64_t word1) {
  opcode_ = static_cast<std::uint8_t>(spec::command::kOpcode.get(word0));
  func3_ = static_cast<std::uint8_t>(spec::command::kFunc3.get(word0));
  switch (opcode_) {
    case spec::opcode::kIotinval:
      return decode_iotinval(word0, word1);
    case spec::opcode::kIofence:
      return decode_iofence(word0, word1);
    case spec::opcode::kIodir:
      return decode_iodir(word0, word1);
    case spec::opcode::kAts:
      return decode_ats(word0, word1);
    default:  // reserved and custom
      return fail(spec::cqcsr::kCmdIll);
  }
}

namespace {

/// IOMMU 8.3: S = 1 codes the size of the range in the trailing ones of ADDR.
void decode_range(std::uint64_t word1, Invalidation& invalidation) {
  const std::uint64_t page = iotinval1::kAddr.get(word1);
  invalidation.address = page << 12;
  invalidation.size_log2 = 12;
  if (!iotinval1::kS.is_set(word1)) return;
  const std::uint64_t zeros = ~page & base::mask_of(iotinval1::kAddr.width);
  const unsigned first_zero = zeros == 0 ? 51 : static_cast<unsigned>(__builtin_ctzll(zeros));
  invalidation.size_log2 = static_cast<std::uint8_t>(12 + first_zero + 1);
  invalidation.address &= ~base::mask_of(invalidation.size_log2);
}

}  // namespace

/// IOMMU 3.1.1, 8.2, 8.3.
void CommandExecution::decode_iotinval(std::uint64_t word0, std::uint64_t word1) {
  const spec::Implementation& implementation = registers_->implementation();
  const std::uint64_t reserved0 = iotinval0::kReserved | (implementation.nl ? 0 : iotinval0::kNl.mask());
  const std::uint64_t reserved1 = iotinval1::kReserved | (implementation.s ? 0 : iotinval1::kS.mask());
  const bool gvma = func3_ == spec::iotinval_func3::kGvma;
  if (func3_ > spec::iotinval_func3::kGvma || (word0 & reserved0) != 0 || (word1 & reserved1) != 0 ||
      (gvma && iotinval0::kPscv.is_set(word0)))
    return fail(spec::cqcsr::kCmdIll);
  Invalidation& invalidation = ask_.invalidation;
  invalidation = {};
  invalidation.kind = gvma ? Invalidation::Kind::kGvma : Invalidation::Kind::kVma;
  invalidation.address_valid = iotinval0::kAv.is_set(word0);
  invalidation.pscid_valid = iotinval0::kPscv.is_set(word0);
  invalidation.gscid_valid = iotinval0::kGv.is_set(word0);
  invalidation.non_leaf = iotinval0::kNl.is_set(word0);
  invalidation.gscid = base::Gscid(static_cast<std::uint16_t>(iotinval0::kGscid.get(word0)));
  invalidation.pscid = base::Pscid(static_cast<std::uint32_t>(iotinval0::kPscid.get(word0)));
  decode_range(word1, invalidation);
  ask_.kind = AskKind::kInvalidate;
}

/// IOMMU 3.1.2. The fence waits first, then writes its data, then counts as complete.
void CommandExecution::decode_iofence(std::uint64_t word0, std::uint64_t word1) {
  const bool wsi = iofence0::kWsi.is_set(word0);
  if (func3_ != spec::iofence_func3::kC || (word0 & iofence0::kReserved) != 0 ||
      (word1 & spec::iofence_w1::kReserved) != 0 || (wsi && !registers_->wire_interrupts()))
    return fail(spec::cqcsr::kCmdIll);
  raise_fence_ = wsi;
  writes_fence_data_ = iofence0::kAv.is_set(word0);
  ask_.fence = {iofence0::kPr.is_set(word0), iofence0::kPw.is_set(word0)};
  ask_.memory.address = spec::iofence_w1::kAddr.get(word1) << 2;
  ask_.memory.bytes = 4;
  ask_.memory.structure = Structure::kFenceData;
  ask_.memory.data[0] = to_host(iofence0::kData.get(word0), 4, registers_->big_endian());
  fence();
}

/// IOMMU 3.1.2, 3.1.4: ATS invalidations must have completed or timed out; a time-out is told here, and the fence
/// stays.
void CommandExecution::fence() {
  if (registers_->invalidations().outstanding()) {
    ask_.kind = AskKind::kAwaitInvalidation;
    return;
  }
  if (registers_->invalidations().take_time_out()) return fail(spec::cqcsr::kCmdTo);
  ask_.kind = AskKind::kFence;
}

namespace {

/// IOMMU 3.1.3: PID must not be wider than the widest process directory that the implementation has.
unsigned process_id_bits(const spec::Implementation& implementation) {
  return implementation.pd20 ? 20 : implementation.pd17 ? 17 : implementation.pd8 ? 8 : 0;
}

}  // namespace

/// IOMMU 3.1.3.
void CommandExecution::decode_iodir(std::uint64_t word0, std::uint64_t word1) {
  const spec::Implementation& implementation = registers_->implementation();
  const bool pdt = func3_ == spec::iodir_func3::kInvalPdt;
  const bool device_valid = iodir0::kDv.is_set(word0);
  const auto device = static_cast<std::uint32_t>(iodir0::kDid.get(word0));
  const auto process = static_cast<std::uint32_t>(iodir0::kPid.get(word0));
  const std::uint32_t process_mask =
      pdt ? static_cast<std::uint32_t>(base::mask_of(process_id_bits(implementation))) : 0;
  if (func3_ > spec::iodir_func3::kInvalPdt || (word0 & iodir0::kReserved) != 0 || word1 != 0 ||
      (pdt && !device_valid) || (process & ~process_mask) != 0 ||
      (device_valid && (device & ~implementation.device_id_mask) != 0))
    return fail(spec::cqcsr::kCmdIll);
  Invalidation& invalidation = ask_.invalidation;
  invalidation = {};
  invalidation.kind = pdt ? Invalidation::Kind::kPdt : Invalidation::Kind::kDdt;
  invalidation.device_valid = device_valid;
  invalidation.device = base::DeviceId(device);
  invalidation.process = base::ProcessId(process);
  ask_.kind = AskKind::kInvalidate;
}

/// IOMMU 3.1.4.
void CommandExecution::decode_ats(std::uint64_t word0, std::uint64_t word1) {
  if (!registers_->implementation().ats || func3_ > spec::ats_func3::kPrgr || (word0 & ats0::kReserved) != 0)
    return fail(spec::cqcsr::kCmdIll);
  DeviceMessage& message = ask_.message;
  message = {};
  message.function.rid = static_cast<std::uint16_t>(ats0::kRid.get(word0));
  message.function.segment_valid = ats0::kDsv.is_set(word0);
  if (message.function.segment_valid) message.function.segment = static_cast<std::uint8_t>(ats0::kDseg.get(word0));
  message.process_valid = ats0::kPv.is_set(word0);
  if (message.process_valid) message.process = base::ProcessId(static_cast<std::uint32_t>(ats0::kPid.get(word0)));
  message.payload = word1;
  if (func3_ == spec::ats_func3::kInval) return send_invalidation();
  message.kind = DeviceMessage::Kind::kPageResponse;
  ask_.kind = AskKind::kSendMessage;
}

/// Without a free ITAG the command waits for one.
void CommandExecution::send_invalidation() {
  AtsInvalidations& invalidations = registers_->invalidations();
  if (!invalidations.has_free_tag()) {
    ask_.kind = AskKind::kAwaitInvalidation;
    return;
  }
  ask_.message.kind = DeviceMessage::Kind::kInvalidationRequest;
  ask_.message.itag = invalidations.take_tag(ask_.message.function);
  ask_.kind = AskKind::kSendMessage;
}

void CommandExecution::fail(spec::Field error) {
  registers_->command_failed(error);
  ask_.kind = AskKind::kDone;
}

void CommandExecution::complete() {
  registers_->command_completed(raise_fence_);
  completed_ = true;
  ask_.kind = AskKind::kDone;
}

}  // namespace iommusim::translate
