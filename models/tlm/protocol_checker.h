// SPDX-License-Identifier: Apache-2.0
// A pass-through between an initiator socket and a target socket that holds both sides to the base protocol: order of
// phases, one request before END_REQ, one response before END_RESP, no call along the opposite path from within a call,
// what a target must not change, references. For tests: it allocates, and it passes on what it objects to.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tlm/dma_extension.h"
#include "tlm/systemc.h"

namespace iommusim::bus {

class ProtocolChecker final : public sc_core::sc_module, ::tlm::tlm_fw_transport_if<>, ::tlm::tlm_bw_transport_if<> {
 public:
  explicit ProtocolChecker(const sc_core::sc_module_name& name);

  TargetSocket from_initiator;
  InitiatorSocket to_target;

  /// One line for each rule broken so far.
  const std::vector<std::string>& violations() const { return violations_; }
  std::size_t in_flight() const { return flights_.size(); }
  std::uint64_t completed() const { return completed_; }
  /// To be called when all should be over: what is in flight now is a violation.
  void finish();

 private:
  enum class State { kRequest, kAccepted, kResponse };
  /// A transaction as it was at BEGIN_REQ.
  struct Flight {
    State state = State::kRequest;
    ::tlm::tlm_command command{};
    const std::uint8_t* data = nullptr;
    std::uint32_t bytes = 0;
    bool has_dma = false;
    DmaExtension dma{};
  };

  ::tlm::tlm_sync_enum nb_transport_fw(Payload& payload, ::tlm::tlm_phase& phase, sc_core::sc_time& delay) override;
  ::tlm::tlm_sync_enum nb_transport_bw(Payload& payload, ::tlm::tlm_phase& phase, sc_core::sc_time& delay) override;
  void b_transport(Payload& payload, sc_core::sc_time& delay) override { to_target->b_transport(payload, delay); }
  unsigned transport_dbg(Payload& payload) override { return to_target->transport_dbg(payload); }
  bool get_direct_mem_ptr(Payload& payload, ::tlm::tlm_dmi& dmi) override {
    return to_target->get_direct_mem_ptr(payload, dmi);
  }
  void invalidate_direct_mem_ptr(sc_dt::uint64 first, sc_dt::uint64 last) override {
    from_initiator->invalidate_direct_mem_ptr(first, last);
  }

  void expect(bool holds, const char* rule);
  void see(Payload& payload, const ::tlm::tlm_phase& phase);
  void begin_request(Payload& payload);
  void end_request(Payload& payload);
  void begin_response(Payload& payload);
  void end(Payload& payload);
  void check_unchanged(const Payload& payload, const Flight& flight);
  Flight* find(Payload& payload);

  std::map<const Payload*, Flight> flights_;
  std::vector<std::string> violations_;
  const Payload* requesting_ = nullptr;
  const Payload* responding_ = nullptr;
  std::uint64_t completed_ = 0;
  int forward_depth_ = 0;
  int backward_depth_ = 0;
};

}  // namespace iommusim::bus
