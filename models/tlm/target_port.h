// SPDX-License-Identifier: Apache-2.0
// The target's side of the base protocol for one socket: phases, back-pressure by END_REQ, one response at a time,
// references. The module behind it sees three things: a request arrived, a response was taken, and the untimed calls.
// A request that is refused is kept as waiting() until end_request() or respond().
#pragma once

#include "base/error.h"
#include "tlm/systemc.h"

namespace iommusim::bus {

/// The module behind target ports. All calls come in the context of the initiator's process: nothing may be sent from
/// within them (the standard forbids calls along the opposite path), the module wakes itself up instead.
class TargetClient {
 public:
  virtual ~TargetClient() = default;
  /// BEGIN_REQ that counts from `at`. True: taken, END_REQ is returned. False: it waits in the port.
  virtual bool request(unsigned port, Payload& payload, Picoseconds at) = 0;
  /// END_RESP for a respond() that returned false: the port can respond again.
  virtual void response_taken(unsigned port, Payload& payload, Picoseconds at) = 0;
  virtual void blocking(unsigned port, Payload& payload, sc_core::sc_time& delay) = 0;
  virtual unsigned debug(unsigned port, Payload& payload) = 0;
  /// get_direct_mem_ptr; false: not granted, as by a module that knows no direct access.
  virtual bool direct(unsigned, Payload&, ::tlm::tlm_dmi&) { return false; }
};

class TargetPort final : ::tlm::tlm_fw_transport_if<> {
 public:
  TargetPort(const char* name, unsigned index, TargetClient& client) : socket(name), index_(index), client_(client) {
    socket.bind(*this);
  }

  TargetSocket socket;

  /// The request that was refused, with the time it counts from; nullptr: none.
  Payload* waiting() const { return waiting_; }
  Picoseconds waiting_since() const { return waiting_since_; }
  /// A response was sent and not taken yet.
  bool responding() const { return responding_ != nullptr; }

  /// Takes back what direct() granted on addresses first to last.
  void revoke_direct(std::uint64_t first, std::uint64_t last) { socket->invalidate_direct_mem_ptr(first, last); }
  /// END_REQ for the waiting request. From a process of the target only.
  void end_request();
  /// BEGIN_RESP. True: the initiator took it at once; false: response_taken() will follow. The payload must not be used
  /// after it was taken. From a process of the target only, when nothing is responding().
  bool respond(Payload& payload);

 private:
  ::tlm::tlm_sync_enum nb_transport_fw(Payload& payload, ::tlm::tlm_phase& phase, sc_core::sc_time& delay) override;
  void b_transport(Payload& payload, sc_core::sc_time& delay) override { client_.blocking(index_, payload, delay); }
  unsigned transport_dbg(Payload& payload) override { return client_.debug(index_, payload); }
  bool get_direct_mem_ptr(Payload& payload, ::tlm::tlm_dmi& direct) override {
    return client_.direct(index_, payload, direct);
  }

  unsigned index_;
  TargetClient& client_;
  Payload* waiting_ = nullptr;
  Payload* responding_ = nullptr;
  Picoseconds waiting_since_ = 0;
};

}  // namespace iommusim::bus
