// SPDX-License-Identifier: Apache-2.0
// Sits between an IOMMU's own port and memory, and takes the writes of interrupt messages out of the stream: a 4-byte
// write into the window goes to the listener and is answered at once, everything else passes unchanged in both
// directions. Model: the path to the interrupt controller takes no time of its own.
#pragma once

#include "tlm/failure.h"

namespace iommusim::bus {

class MessageListener {
 public:
  virtual ~MessageListener() = default;
  /// `address` is the first byte of the write. Called from a process of the writer.
  virtual void message(std::uint64_t address, std::uint32_t data) = 0;
};

class MessageWindow final : public sc_core::sc_module, ::tlm::tlm_fw_transport_if<>, ::tlm::tlm_bw_transport_if<> {
 public:
  /// The window is [first, first + bytes).
  MessageWindow(const sc_core::sc_module_name& name, std::uint64_t first, std::uint64_t bytes);

  TargetSocket in{"in"};
  InitiatorSocket out{"out"};
  /// nullptr: messages vanish. Must outlive the simulation.
  void connect(MessageListener* listener) { listener_ = listener; }
  std::uint64_t taken() const { return taken_; }  ///< messages so far

 private:
  bool takes(Payload& payload) const;
  void deliver(Payload& payload);

  ::tlm::tlm_sync_enum nb_transport_fw(Payload& payload, ::tlm::tlm_phase& phase, sc_core::sc_time& delay) override;
  void b_transport(Payload& payload, sc_core::sc_time& delay) override;
  unsigned transport_dbg(Payload& payload) override { return out->transport_dbg(payload); }
  bool get_direct_mem_ptr(Payload& payload, ::tlm::tlm_dmi& dmi) override {
    return out->get_direct_mem_ptr(payload, dmi);
  }
  ::tlm::tlm_sync_enum nb_transport_bw(Payload& payload, ::tlm::tlm_phase& phase, sc_core::sc_time& delay) override {
    return in->nb_transport_bw(payload, phase, delay);
  }
  void invalidate_direct_mem_ptr(sc_dt::uint64 from, sc_dt::uint64 to) override {
    in->invalidate_direct_mem_ptr(from, to);
  }

  std::uint64_t first_, bytes_;
  MessageListener* listener_ = nullptr;
  std::uint64_t taken_ = 0;
};

}  // namespace iommusim::bus
