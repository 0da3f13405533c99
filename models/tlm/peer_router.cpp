// SPDX-License-Identifier: Apache-2.0
#include "tlm/peer_router.h"

namespace iommusim::bus {

PeerRouter::PeerRouter(const sc_core::sc_module_name& name, PeerBars& bars) : TimedModule(name), bars_(bars) {
  in.bind(*this);
  out.bind(*this);
}

::tlm::tlm_sync_enum PeerRouter::nb_transport_fw(Payload& payload, ::tlm::tlm_phase& phase, sc_core::sc_time& delay) {
  if (phase == ::tlm::END_RESP && responding_ == &payload) {
    responding_ = nullptr;
    wake_at(now_ps());
    if (!own_) return out->nb_transport_fw(payload, phase, delay);
    payload.release();
    return ::tlm::TLM_COMPLETED;
  }
  PeerBars::Bar* const bar = phase == ::tlm::BEGIN_REQ ? bar_of(payload) : nullptr;
  if (bar == nullptr) {
    const auto status = out->nb_transport_fw(payload, phase, delay);
    if (status != ::tlm::TLM_UPDATED || phase != ::tlm::BEGIN_RESP) return status;
    if (responding_ == nullptr) {
      responding_ = &payload;
      own_ = false;
      return status;
    }
    held_ = &payload;
    phase = ::tlm::END_REQ;
    return ::tlm::TLM_UPDATED;
  }
  payload.acquire();
  const Picoseconds due = now_ps() + delay.value() + bars_.latency(*bar);
  taken_.insert({due, &payload, bar}, [](const Taken& a, const Taken& b) { return a.due < b.due; });
  wake_at(due);
  phase = ::tlm::END_REQ;
  return ::tlm::TLM_UPDATED;
}

::tlm::tlm_sync_enum PeerRouter::nb_transport_bw(Payload& payload, ::tlm::tlm_phase& phase, sc_core::sc_time& delay) {
  if (phase != ::tlm::BEGIN_RESP) return in->nb_transport_bw(payload, phase, delay);
  if (responding_ != nullptr) {
    held_ = &payload;
    return ::tlm::TLM_ACCEPTED;
  }
  responding_ = &payload;
  own_ = false;
  const auto status = in->nb_transport_bw(payload, phase, delay);
  if (status != ::tlm::TLM_ACCEPTED) responding_ = nullptr;
  return status;
}

void PeerRouter::respond(Payload& payload, bool own) {
  responding_ = &payload;
  own_ = own;
  ::tlm::tlm_phase phase = ::tlm::BEGIN_RESP;
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  if (in->nb_transport_bw(payload, phase, delay) == ::tlm::TLM_ACCEPTED) return;
  responding_ = nullptr;
  if (own) return payload.release();
  phase = ::tlm::END_RESP;
  delay = sc_core::SC_ZERO_TIME;
  out->nb_transport_fw(payload, phase, delay);
}

Picoseconds PeerRouter::work(Picoseconds now) {
  while (responding_ == nullptr) {
    if (held_ != nullptr) {
      Payload& payload = *held_;
      held_ = nullptr;
      respond(payload, false);
    } else if (!taken_.empty() && taken_.front().due <= now) {
      const Taken first = taken_.front();
      taken_.pop();
      bars_.perform(*first.bar, *first.payload);
      respond(*first.payload, true);
    } else {
      return taken_.empty() ? kNever : taken_.front().due;
    }
  }
  return kNever;  // END_RESP wakes it up
}

void PeerRouter::b_transport(Payload& payload, sc_core::sc_time& delay) {
  PeerBars::Bar* const bar = bar_of(payload);
  if (bar == nullptr) return out->b_transport(payload, delay);
  bars_.perform(*bar, payload);
  delay += to_sc_time(bars_.latency(*bar));
}

unsigned PeerRouter::transport_dbg(Payload& payload) {
  PeerBars::Bar* const bar = bar_of(payload);
  return bar == nullptr ? out->transport_dbg(payload) : bars_.debug(*bar, payload);
}

bool PeerRouter::get_direct_mem_ptr(Payload& payload, ::tlm::tlm_dmi& dmi) {
  if (bars_.at(payload.get_address(), 1) == nullptr) return out->get_direct_mem_ptr(payload, dmi);
  payload.set_dmi_allowed(false);
  dmi.set_start_address(payload.get_address());
  dmi.set_end_address(payload.get_address());
  return false;
}

}  // namespace iommusim::bus
