// SPDX-License-Identifier: Apache-2.0
#include "tlm/protocol_checker.h"

namespace iommusim::bus {

ProtocolChecker::ProtocolChecker(const sc_core::sc_module_name& name)
    : sc_module(name), from_initiator("from_initiator"), to_target("to_target") {
  from_initiator.bind(static_cast<::tlm::tlm_fw_transport_if<>&>(*this));
  to_target.bind(static_cast<::tlm::tlm_bw_transport_if<>&>(*this));
}

void ProtocolChecker::expect(bool holds, const char* rule) {
  if (!holds) violations_.push_back(sc_core::sc_time_stamp().to_string() + " " + name() + ": " + rule);
}

void ProtocolChecker::finish() { expect(flights_.empty(), "transactions are in flight at the end"); }

::tlm::tlm_sync_enum ProtocolChecker::nb_transport_fw(Payload& payload, ::tlm::tlm_phase& phase,
                                                      sc_core::sc_time& delay) {
  expect(backward_depth_ == 0, "nb_transport_fw was called from within nb_transport_bw");
  expect(phase == ::tlm::BEGIN_REQ || phase == ::tlm::END_RESP, "a target's phase on the forward path");
  see(payload, phase);
  const ::tlm::tlm_phase sent = phase;
  const bool alive = find(payload) != nullptr;  // else END_RESP: the payload may go away
  ++forward_depth_;
  const auto status = to_target->nb_transport_fw(payload, phase, delay);
  --forward_depth_;
  if (!alive) return status;
  if (status == ::tlm::TLM_UPDATED) {
    expect(phase != sent, "TLM_UPDATED without a new phase");
    see(payload, phase);
  } else if (status == ::tlm::TLM_COMPLETED) {
    begin_response(payload);
    end(payload);
  }
  return status;
}

::tlm::tlm_sync_enum ProtocolChecker::nb_transport_bw(Payload& payload, ::tlm::tlm_phase& phase,
                                                      sc_core::sc_time& delay) {
  expect(forward_depth_ == 0, "nb_transport_bw was called from within nb_transport_fw");
  expect(phase == ::tlm::END_REQ || phase == ::tlm::BEGIN_RESP, "an initiator's phase on the backward path");
  see(payload, phase);
  const ::tlm::tlm_phase sent = phase;
  ++backward_depth_;
  const auto status = from_initiator->nb_transport_bw(payload, phase, delay);
  --backward_depth_;
  if (status == ::tlm::TLM_UPDATED) {
    expect(phase != sent, "TLM_UPDATED without a new phase");
    see(payload, phase);
  } else if (status == ::tlm::TLM_COMPLETED) {
    expect(sent == ::tlm::BEGIN_RESP, "END_REQ was answered with TLM_COMPLETED");
    end(payload);
  }
  return status;
}

void ProtocolChecker::see(Payload& payload, const ::tlm::tlm_phase& phase) {
  if (phase == ::tlm::BEGIN_REQ)
    begin_request(payload);
  else if (phase == ::tlm::END_REQ)
    end_request(payload);
  else if (phase == ::tlm::BEGIN_RESP)
    begin_response(payload);
  else if (phase == ::tlm::END_RESP)
    end(payload);
}

ProtocolChecker::Flight* ProtocolChecker::find(Payload& payload) {
  const auto it = flights_.find(&payload);
  return it == flights_.end() ? nullptr : &it->second;
}

void ProtocolChecker::begin_request(Payload& payload) {
  expect(requesting_ == nullptr, "a second BEGIN_REQ before END_REQ of the first");
  expect(find(payload) == nullptr, "BEGIN_REQ with a payload that is in flight");
  expect(payload.has_mm(), "BEGIN_REQ with a payload that has no memory manager");
  expect(payload.get_ref_count() > 0, "BEGIN_REQ with a payload that nobody holds");
  expect(payload.get_response_status() == ::tlm::TLM_INCOMPLETE_RESPONSE, "BEGIN_REQ with a response status set");
  Flight flight;
  flight.command = payload.get_command();
  flight.data = payload.get_data_ptr();
  flight.bytes = payload.get_data_length();
  if (const auto* dma = payload.get_extension<DmaExtension>()) {
    flight.has_dma = true;
    flight.dma = *dma;
  }
  flights_[&payload] = flight;
  requesting_ = &payload;
}

void ProtocolChecker::end_request(Payload& payload) {
  Flight* flight = find(payload);
  expect(flight != nullptr && flight->state == State::kRequest, "END_REQ without BEGIN_REQ before it");
  if (flight != nullptr) flight->state = State::kAccepted;
  if (requesting_ == &payload) requesting_ = nullptr;
}

void ProtocolChecker::begin_response(Payload& payload) {
  Flight* flight = find(payload);
  expect(flight != nullptr && flight->state != State::kResponse, "BEGIN_RESP without a request before it");
  expect(responding_ == nullptr, "a second BEGIN_RESP before END_RESP of the first");
  if (flight == nullptr) return;
  check_unchanged(payload, *flight);
  flight->state = State::kResponse;
  if (requesting_ == &payload) requesting_ = nullptr;
  responding_ = &payload;
}

void ProtocolChecker::end(Payload& payload) {
  Flight* flight = find(payload);
  expect(flight != nullptr && flight->state == State::kResponse, "END_RESP without BEGIN_RESP before it");
  if (responding_ == &payload) responding_ = nullptr;
  if (flight == nullptr) return;
  flights_.erase(&payload);
  ++completed_;
}

void ProtocolChecker::check_unchanged(const Payload& payload, const Flight& flight) {
  expect(payload.get_ref_count() > 0, "a response with a payload that nobody holds");
  expect(payload.get_response_status() != ::tlm::TLM_INCOMPLETE_RESPONSE, "a response without response status");
  expect(payload.get_command() == flight.command && payload.get_data_ptr() == flight.data &&
             payload.get_data_length() == flight.bytes,
         "command, data pointer or length were changed");
  const auto* dma = payload.get_extension<DmaExtension>();
  expect((dma != nullptr) == flight.has_dma, "the DMA extension was added or removed");
  if (dma == nullptr || !flight.has_dma) return;
  const DmaExtension& was = flight.dma;
  expect(dma->device == was.device && dma->process == was.process && dma->process_valid == was.process_valid &&
             dma->privileged == was.privileged && dma->execute == was.execute && dma->type == was.type &&
             dma->origin == was.origin,
         "the DMA extension was changed");
}

}  // namespace iommusim::bus
