// SPDX-License-Identifier: Apache-2.0
#include "tlm/initiator_port.h"

namespace iommusim::bus {

void InitiatorPort::send(Payload& payload) {
  const Picoseconds now = now_ps();
  base::ensure(ready(now), "TLM: a request was sent before the last one was accepted");
  waiting_ = &payload;
  ::tlm::tlm_phase phase = ::tlm::BEGIN_REQ;
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  const auto status = socket->nb_transport_fw(payload, phase, delay);
  if (status == ::tlm::TLM_ACCEPTED) return;
  const Picoseconds at = now + delay.value();
  end_waiting(at);
  if (status == ::tlm::TLM_UPDATED && phase == ::tlm::END_REQ) return;
  if (status == ::tlm::TLM_UPDATED) {
    base::ensure(phase == ::tlm::BEGIN_RESP, "TLM: BEGIN_REQ was answered with a wrong phase");
    phase = ::tlm::END_RESP;
    socket->nb_transport_fw(payload, phase, delay);
  }
  client_.response(index_, payload, at);
}

::tlm::tlm_sync_enum InitiatorPort::nb_transport_bw(Payload& payload, ::tlm::tlm_phase& phase,
                                                    sc_core::sc_time& delay) {
  const bool response = phase == ::tlm::BEGIN_RESP;
  if (!response && phase != ::tlm::END_REQ) {
    base::ensure(phase != ::tlm::BEGIN_REQ && phase != ::tlm::END_RESP,
                 "TLM: an initiator's phase on the backward path");
    return ::tlm::TLM_ACCEPTED;  // a phase that is not of the base protocol: ignorable
  }
  const Picoseconds at = now_ps() + delay.value();
  if (waiting_ == &payload) {  // BEGIN_RESP implies END_REQ
    end_waiting(at);
    client_.request_ended(index_);
  } else {
    base::ensure(response, "TLM: END_REQ without a request that waits for it");
  }
  if (!response) return ::tlm::TLM_ACCEPTED;
  client_.response(index_, payload, at);
  return ::tlm::TLM_COMPLETED;
}

}  // namespace iommusim::bus
