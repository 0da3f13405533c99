// SPDX-License-Identifier: Apache-2.0
// The initiator's side of the base protocol for one socket: one request before END_REQ, every way a target may answer
// (early completion, BEGIN_RESP without END_REQ), responses taken at once.
#pragma once

#include "base/error.h"
#include "tlm/systemc.h"

namespace iommusim::bus {

/// The module behind initiator ports. Both calls may come in the context of the target's process: nothing may be sent
/// from within them (the standard forbids calls along the opposite path), the module wakes itself up instead.
class InitiatorClient {
 public:
  virtual ~InitiatorClient() = default;
  /// The port can send again, at ready_at(). Called only after a send() that left the port not ready.
  virtual void request_ended(unsigned port) = 0;
  /// The response counts from `at`. May come within send().
  virtual void response(unsigned port, Payload& payload, Picoseconds at) = 0;
  /// The target takes back the direct access that it granted on these addresses.
  virtual void direct_revoked(unsigned, std::uint64_t, std::uint64_t) {}
};

class InitiatorPort final : ::tlm::tlm_bw_transport_if<> {
 public:
  InitiatorPort(const char* name, unsigned index, InitiatorClient& client)
      : socket(name), index_(index), client_(client) {
    socket.bind(*this);
  }

  InitiatorSocket socket;

  /// When the next request may be sent; kNever while one waits for END_REQ.
  Picoseconds ready_at() const { return waiting_ != nullptr ? kNever : ready_at_; }
  bool ready(Picoseconds now) const { return ready_at() <= now; }

  /// BEGIN_REQ. From a process of the initiator only, when ready().
  void send(Payload& payload);

 private:
  ::tlm::tlm_sync_enum nb_transport_bw(Payload& payload, ::tlm::tlm_phase& phase, sc_core::sc_time& delay) override;
  void invalidate_direct_mem_ptr(sc_dt::uint64 first, sc_dt::uint64 last) override {
    client_.direct_revoked(index_, first, last);
  }
  void end_waiting(Picoseconds at) {
    waiting_ = nullptr;
    ready_at_ = at;
  }

  unsigned index_;
  InitiatorClient& client_;
  Payload* waiting_ = nullptr;
  Picoseconds ready_at_ = 0;
};

}  // namespace iommusim::bus
