// SPDX-License-Identifier: Apache-2.0
#include "translate/page_request.h"

#include "translate/byte_order.h"
#include "translate/registers.h"

namespace iommusim::translate {

namespace record0 = spec::page_request_w0;
namespace record1 = spec::page_request_w1;

/// PCIe: message code of a page request, reported in iotval (IOMMU 3.2).
constexpr std::uint64_t kPageRequestMessageCode = 4;

Request PageRequestHandling::location_request(const PageRequest& request) {
  Request message;
  message.type = AddressType::kMessage;
  message.device = request.function.device_id();
  message.process_valid = request.process_valid;
  message.process = request.process;
  message.privileged = request.privileged;
  message.iova = base::Iova(kPageRequestMessageCode);
  return message;
}

void PageRequestHandling::begin(const PageRequest& request, Registers& registers) {
  request_ = request;
  registers_ = &registers;
  queued_ = has_fault_ = has_response_ = false;
  locating_ = true;
  ask_.kind = AskKind::kDone;
}

void PageRequestHandling::start(const PageRequest& request, Registers& registers) {
  begin(request, registers);
  continue_after([&] { location_.start(location_request(request), registers); });
}

void PageRequestHandling::start_located(const PageRequest& request, const Translation& location, Registers& registers) {
  begin(request, registers);
  location_ = location;
  located();
}

/// IOMMU 2.7: which faults are answered with Invalid Request, which with Response Failure; then the queue's conditions.
void PageRequestHandling::located() {
  locating_ = false;
  const Outcome& outcome = location_.outcome();
  if (outcome.kind == Outcome::Kind::kFault) {
    has_fault_ = outcome.record_fault;
    const bool invalid = outcome.fault.cause == static_cast<std::uint16_t>(spec::Cause::kTransactionTypeDisallowed);
    const bool prpr =
        location_.device_context() != nullptr && spec::dc_tc::kPrpr.is_set(location_.device_context()->tc());
    return respond(invalid ? ResponseCode::kInvalidRequest : ResponseCode::kFailure, prpr);
  }
  const bool prpr = spec::dc_tc::kPrpr.is_set(location_.device_context()->tc());
  switch (registers_->page_request_queue_state()) {
    case Registers::QueueState::kOff:
    case Registers::QueueState::kMemoryFault:
      return respond(ResponseCode::kFailure, prpr);
    case Registers::QueueState::kOverflow:
      return respond(ResponseCode::kSuccess, prpr);
    case Registers::QueueState::kFull:
      registers_->page_request_queue_failed(spec::pqcsr::kPqof);
      return respond(ResponseCode::kSuccess, prpr);
    case Registers::QueueState::kReady:
      return write_record();
  }
}

/// IOMMU 3.3, figure "Page-request-queue record".
void PageRequestHandling::write_record() {
  std::uint64_t word0 = record0::kDid.of(request_.function.device_id().value);
  if (request_.process_valid)
    word0 |= record0::kPv.of(1) | record0::kPid.of(request_.process.value) |
             record0::kPriv.of(request_.privileged ? 1 : 0) | record0::kExec.of(request_.execute ? 1 : 0);
  const bool big_endian = registers_->big_endian();
  ask_.kind = AskKind::kWrite;
  ask_.memory.address = registers_->page_request_address();
  ask_.memory.bytes = spec::kPageRequestBytes;
  ask_.memory.structure = Structure::kPageRequestQueue;
  ask_.memory.qos = registers_->qos();
  ask_.memory.data[0] = to_host(word0, 8, big_endian);
  ask_.memory.data[1] = to_host(request_.payload, 8, big_endian);
}

void PageRequestHandling::memory(const MemoryAnswer& answer) {
  if (locating_) return continue_after([&] { location_.memory(answer); });
  ask_.kind = AskKind::kDone;
  if (answer.status == MemoryStatus::kOk) {
    registers_->page_request_written();
    queued_ = true;
    return;
  }
  registers_->page_request_queue_failed(spec::pqcsr::kPqmf);
  respond(ResponseCode::kFailure, spec::dc_tc::kPrpr.is_set(location_.device_context()->tc()));
}

/// IOMMU 2.7: only the last request of a group is answered, a Stop Marker never. A failure carries the PASID that the
/// request had; other responses carry it when PRPR says so.
void PageRequestHandling::respond(ResponseCode code, bool prpr) {
  const bool is_stop_marker = !record1::kR.is_set(request_.payload) && !record1::kW.is_set(request_.payload);
  if (!record1::kL.is_set(request_.payload) || is_stop_marker) return;
  has_response_ = true;
  response_ = {};
  response_.kind = DeviceMessage::Kind::kPageResponse;
  response_.function = request_.function;
  response_.process_valid = request_.process_valid && (prpr || code == ResponseCode::kFailure);
  if (response_.process_valid) response_.process = request_.process;
  response_.payload = std::uint64_t{request_.function.rid} << 48 | static_cast<std::uint64_t>(code) << 44 |
                      record1::kGroup.get(request_.payload) << 32;
}

}  // namespace iommusim::translate
