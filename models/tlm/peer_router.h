// SPDX-License-Identifier: Apache-2.0
// Sits between an IOMMU's DMA and memory, where translated addresses are known, and takes accesses to the memory of
// devices (peer_bars.h) out of the stream; everything else passes unchanged, at once, in both directions. What is taken
// is accepted at once and performed and answered when its latency is over, in the order of these times. Of the answers
// of memory and of its own, one at a time is before the initiator, as the base protocol demands of a socket.
#pragma once

#include "tlm/growing_ring.h"
#include "tlm/peer_bars.h"
#include "tlm/timed_module.h"

namespace iommusim::bus {

class PeerRouter final : public TimedModule, ::tlm::tlm_fw_transport_if<>, ::tlm::tlm_bw_transport_if<> {
 public:
  /// The windows are shared by all routers; they must outlive the simulation.
  PeerRouter(const sc_core::sc_module_name& name, PeerBars& bars);

  TargetSocket in{"in"};
  InitiatorSocket out{"out"};

 private:
  struct Taken {
    Picoseconds due = 0;
    Payload* payload = nullptr;
    PeerBars::Bar* bar = nullptr;
  };

  PeerBars::Bar* bar_of(const Payload& payload) { return bars_.at(payload.get_address(), payload.get_data_length()); }
  Picoseconds work(Picoseconds now) override;
  /// BEGIN_RESP; `own`: of an access that was taken, not of memory.
  void respond(Payload& payload, bool own);

  ::tlm::tlm_sync_enum nb_transport_fw(Payload& payload, ::tlm::tlm_phase& phase, sc_core::sc_time& delay) override;
  ::tlm::tlm_sync_enum nb_transport_bw(Payload& payload, ::tlm::tlm_phase& phase, sc_core::sc_time& delay) override;
  void b_transport(Payload& payload, sc_core::sc_time& delay) override;
  unsigned transport_dbg(Payload& payload) override;
  bool get_direct_mem_ptr(Payload& payload, ::tlm::tlm_dmi& dmi) override;
  void invalidate_direct_mem_ptr(sc_dt::uint64 from, sc_dt::uint64 to) override {
    in->invalidate_direct_mem_ptr(from, to);
  }

  PeerBars& bars_;
  GrowingRing<Taken> taken_;
  Payload* responding_ = nullptr;  ///< before the initiator, until END_RESP
  bool own_ = false;               ///< responding_ is an access that was taken
  Payload* held_ = nullptr;        ///< memory's answer that came meanwhile
};

}  // namespace iommusim::bus
