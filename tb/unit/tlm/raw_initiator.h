// SPDX-License-Identifier: Apache-2.0
// An initiator that a test drives by hand, written against the standard and not with our port classes: it logs what
// comes, and takes responses at once or when told.
#pragma once

#include <vector>

#include "tlm/payload_pool.h"

namespace iommusim::sc_test {

using bus::Payload;
using bus::Picoseconds;

struct PhaseSeen {
  ::tlm::tlm_phase phase;
  Payload* payload;
  Picoseconds at;
};

class RawInitiator : public sc_core::sc_module, ::tlm::tlm_bw_transport_if<> {
 public:
  explicit RawInitiator(const sc_core::sc_module_name& name) : sc_module(name), socket("socket") { socket.bind(*this); }

  bus::InitiatorSocket socket;
  bus::PayloadPool pool{4096};
  std::vector<PhaseSeen> seen;  ///< END_REQ and BEGIN_RESP, returned or called
  bool take_responses = true;   ///< false: END_RESP by end_response()

  /// BEGIN_REQ of a new payload.
  bus::PooledPayload& begin(bool write, std::uint64_t address, std::uint32_t bytes, Picoseconds delay = 0) {
    bus::PooledPayload& payload = pool.take();
    bus::set_access(payload, write, address, payload.buffer(), bytes);
    send(payload, delay);
    return payload;
  }
  void send(Payload& payload, Picoseconds delay = 0) {
    ::tlm::tlm_phase phase = ::tlm::BEGIN_REQ;
    sc_core::sc_time time = bus::to_sc_time(delay);
    const auto status = socket->nb_transport_fw(payload, phase, time);
    if (status == ::tlm::TLM_COMPLETED) phase = ::tlm::BEGIN_RESP;
    if (status != ::tlm::TLM_ACCEPTED) seen.push_back({phase, &payload, bus::now_ps() + time.value()});
  }
  void end_response(Payload& payload) {
    ::tlm::tlm_phase phase = ::tlm::END_RESP;
    sc_core::sc_time time;
    socket->nb_transport_fw(payload, phase, time);
  }
  /// When that phase of the payload was seen; bus::kNever: not yet.
  Picoseconds time_of(const Payload& payload, ::tlm::tlm_phase_enum phase) const {
    for (const PhaseSeen& entry : seen)
      if (entry.payload == &payload && entry.phase == phase) return entry.at;
    return bus::kNever;
  }
  Picoseconds accepted(const Payload& payload) const { return time_of(payload, ::tlm::END_REQ); }
  Picoseconds answered(const Payload& payload) const { return time_of(payload, ::tlm::BEGIN_RESP); }

 private:
  ::tlm::tlm_sync_enum nb_transport_bw(Payload& payload, ::tlm::tlm_phase& phase, sc_core::sc_time& delay) override {
    seen.push_back({phase, &payload, bus::now_ps() + delay.value()});
    return phase == ::tlm::BEGIN_RESP && take_responses ? ::tlm::TLM_COMPLETED : ::tlm::TLM_ACCEPTED;
  }
  void invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) override {}
};

}  // namespace iommusim::sc_test
