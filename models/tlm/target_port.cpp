// SPDX-License-Identifier: Apache-2.0
#include "tlm/target_port.h"

namespace iommusim::bus {

::tlm::tlm_sync_enum TargetPort::nb_transport_fw(Payload& payload, ::tlm::tlm_phase& phase, sc_core::sc_time& delay) {
  const Picoseconds at = now_ps() + delay.value();
  if (phase == ::tlm::BEGIN_REQ) {
    base::ensure(waiting_ == nullptr, "TLM: a second BEGIN_REQ before END_REQ of the first");
    payload.acquire();
    if (client_.request(index_, payload, at)) {
      phase = ::tlm::END_REQ;
      return ::tlm::TLM_UPDATED;
    }
    waiting_ = &payload;
    waiting_since_ = at;
    return ::tlm::TLM_ACCEPTED;
  }
  if (phase == ::tlm::END_RESP) {
    base::ensure(responding_ == &payload, "TLM: END_RESP without a response that is pending");
    responding_ = nullptr;
    client_.response_taken(index_, payload, at);
    payload.release();
    return ::tlm::TLM_COMPLETED;
  }
  base::ensure(phase != ::tlm::END_REQ && phase != ::tlm::BEGIN_RESP, "TLM: a target's phase on the forward path");
  return ::tlm::TLM_ACCEPTED;  // a phase that is not of the base protocol: ignorable
}

void TargetPort::end_request() {
  Payload& payload = *waiting_;
  waiting_ = nullptr;
  ::tlm::tlm_phase phase = ::tlm::END_REQ;
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  socket->nb_transport_bw(payload, phase, delay);
}

bool TargetPort::respond(Payload& payload) {
  base::ensure(responding_ == nullptr, "TLM: a response before the last one was taken");
  if (waiting_ == &payload) waiting_ = nullptr;  // BEGIN_RESP implies END_REQ
  responding_ = &payload;
  ::tlm::tlm_phase phase = ::tlm::BEGIN_RESP;
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  const auto status = socket->nb_transport_bw(payload, phase, delay);
  if (status == ::tlm::TLM_ACCEPTED) return false;
  base::ensure(status == ::tlm::TLM_COMPLETED || phase == ::tlm::END_RESP,
               "TLM: a response answered with a wrong phase");
  responding_ = nullptr;
  payload.release();
  return true;
}

}  // namespace iommusim::bus
