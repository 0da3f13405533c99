// SPDX-License-Identifier: Apache-2.0
// A target that a test drives by hand, written against the standard and not with our port classes: it logs what comes,
// accepts at once or when told, and answers in any way the standard allows.
#pragma once

#include <vector>

#include "tlm/payload_pool.h"

namespace iommusim::sc_test {

class RawTarget : public sc_core::sc_module, ::tlm::tlm_fw_transport_if<> {
 public:
  enum class Answer { kAccept, kHold, kRespondOnReturn, kComplete };
  struct Request {
    bus::Payload* payload;
    bus::Picoseconds at;
    std::uint64_t address;
    std::uint32_t bytes;
    bool write;
  };

  explicit RawTarget(const sc_core::sc_module_name& name) : sc_module(name), socket("socket") { socket.bind(*this); }

  bus::TargetSocket socket;
  std::vector<Request> requests;  ///< BEGIN_REQ
  Answer answer = Answer::kAccept;
  bus::Picoseconds answer_delay = 0;  ///< annotated to what is returned
  bool keep = false;                  ///< payloads are never given back: the test looks at them later
  unsigned ended = 0;                 ///< END_RESP by call

  void end_request(std::size_t index, bus::Picoseconds delay = 0) { send(index, ::tlm::END_REQ, delay); }
  void respond(std::size_t index, bus::Picoseconds delay = 0,
               ::tlm::tlm_response_status status = ::tlm::TLM_OK_RESPONSE) {
    requests[index].payload->set_response_status(status);
    send(index, ::tlm::BEGIN_RESP, delay);
  }

 private:
  void send(std::size_t index, ::tlm::tlm_phase phase, bus::Picoseconds delay) {
    sc_core::sc_time time = bus::to_sc_time(delay);
    bus::Payload& payload = *requests[index].payload;
    const bool response = phase == ::tlm::BEGIN_RESP;
    if (socket->nb_transport_bw(payload, phase, time) == ::tlm::TLM_COMPLETED && response) payload.release();
  }
  ::tlm::tlm_sync_enum nb_transport_fw(bus::Payload& payload, ::tlm::tlm_phase& phase,
                                       sc_core::sc_time& delay) override {
    if (phase == ::tlm::END_RESP) {
      ++ended;
      payload.release();
      return ::tlm::TLM_COMPLETED;
    }
    requests.push_back({&payload, bus::now_ps() + delay.value(), payload.get_address(), payload.get_data_length(),
                        payload.is_write()});
    if (keep) payload.acquire();
    if (answer == Answer::kHold) {
      payload.acquire();
      return ::tlm::TLM_ACCEPTED;
    }
    delay += bus::to_sc_time(answer_delay);
    if (answer == Answer::kComplete) {
      payload.set_response_status(::tlm::TLM_OK_RESPONSE);
      return ::tlm::TLM_COMPLETED;
    }
    payload.acquire();
    phase = ::tlm::END_REQ;
    if (answer == Answer::kRespondOnReturn) {
      payload.set_response_status(::tlm::TLM_OK_RESPONSE);
      phase = ::tlm::BEGIN_RESP;
    }
    return ::tlm::TLM_UPDATED;
  }
  void b_transport(bus::Payload& payload, sc_core::sc_time& delay) override {
    delay += bus::to_sc_time(answer_delay);
    payload.set_response_status(::tlm::TLM_OK_RESPONSE);
  }
  unsigned transport_dbg(bus::Payload& payload) override { return payload.get_data_length(); }
  bool get_direct_mem_ptr(bus::Payload&, ::tlm::tlm_dmi&) override { return false; }
};

}  // namespace iommusim::sc_test
