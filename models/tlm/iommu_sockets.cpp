// SPDX-License-Identifier: Apache-2.0
// What comes in at the sockets of the IOMMU module: DMA, answers of memory, register accesses; and its interrupt wires.
#include <algorithm>

#include "base/bits.h"
#include "tlm/iommu.h"
#include "tlm/iommu_request.h"

namespace iommusim::bus {

// Calls from sockets: they note what came and wake the module.

bool Iommu::request(unsigned port, Payload& payload, Picoseconds at) {
  if (is_register_port(port)) {
    const Picoseconds effect = at + clock_.time_of(effect_cycles(payload));
    register_accesses_.push(effect, &payload);
    wake_at(effect);
    return true;
  }
  DmaPort& from = *dma_ports_[port];
  DmaExtension& dma = dma_of(payload);
  if (is_message(dma) && (functional_ || is_credit(payload))) {
    accept_message(port, payload, nullptr);
    return true;
  }
  if (functional_) {
    if (from.performed.full()) return refuse();
    perform(from, payload, at);
    return true;
  }
  if (from.incoming.full()) return refuse();
  push_incoming(port, payload, dma, at, nullptr);
  wake_at(std::max(at, clock_.time_of(clock_.edge_at_or_after(at))));
  return true;
}

void Iommu::response_taken(unsigned, Payload&, Picoseconds) { wake_at(now_ps()); }
void Iommu::request_ended(unsigned) { wake_at(now_ps()); }

void Iommu::response(unsigned port, Payload& payload, Picoseconds at) {
  auto& answers = port == kOwnPort ? own_answers_ : forward_answers_;
  const Picoseconds edge = clock_.time_of(clock_.edge_at_or_after(at));
  answers.push(edge, static_cast<PooledPayload*>(&payload));
  wake_at(edge);
}

void Iommu::blocking(unsigned port, Payload& payload, sc_core::sc_time& delay) {
  if (is_register_port(port)) {
    sc_core::wait(delay + to_sc_time(clock_.time_of(effect_cycles(payload))));
    delay = sc_core::SC_ZERO_TIME;
    access_register(payload, delay);
    sc_core::wait(to_sc_time(clock_.time_of(params_.engine.registers.access_cycles - effect_cycles(payload))));
    return;
  }
  if (functional_ && !is_message(payload)) {
    functional_->perform(payload, delay);
    update_wires();
    return;
  }
  sc_core::wait(delay);
  delay = sc_core::SC_ZERO_TIME;
  DmaPort& dma = *dma_ports_[port];
  if (is_message(payload) && (functional_ || is_credit(payload))) {
    sc_core::sc_event done;
    accept_message(port, payload, &done);
    sc_core::wait(done);
    return;
  }
  while (dma.incoming.full()) sc_core::wait(to_sc_time(clock_.time_of(1)));
  sc_core::sc_event done;
  push_incoming(port, payload, dma_of(payload), now_ps(), &done);
  wake_at(now_ps());
  sc_core::wait(done);
}

// Direct access, in functional mode and when asked for.

bool Iommu::direct(unsigned port, Payload& payload, ::tlm::tlm_dmi& direct) {
  if (is_register_port(port) || !functional_ || !params_.dmi || !functional_->direct(payload, direct)) return false;
  direct_granted_ = true;
  return true;
}

/// Memory names its own addresses; which of a device's they are is not remembered, so all are taken back.
void Iommu::direct_revoked(unsigned port, std::uint64_t, std::uint64_t) {
  if (port == kForwardPort) give_up_translations();
}

void Iommu::give_up_translations() {
  if (!direct_granted_) return;
  direct_granted_ = false;
  for (const auto& port : dma_ports_) port->target.revoke_direct(0, ~0ULL);
}

void Iommu::push_incoming(unsigned port, Payload& payload, DmaExtension& dma, Picoseconds at, sc_core::sc_event* done) {
  Incoming incoming;
  incoming.since = at;
  if (is_message(dma)) {
    incoming.message = &payload;
    incoming.done = done;
    ++messages_waiting_;
  } else {
    incoming.transfer = begin(port, payload, dma, done);
    ++transfers_waiting_;
  }
  dma_ports_[port]->incoming.push(incoming);
}

Iommu::TransferHandle Iommu::begin(unsigned port, Payload& payload, DmaExtension& dma, sc_core::sc_event* done) {
  const TransferHandle handle = transfers_.take();
  Transfer& transfer = transfers_.get(handle);
  transfer.payload = &payload;
  transfer.dma = &dma;
  transfer.address = payload.get_address();
  transfer.port = port;
  transfer.bytes_left = payload.get_data_length();
  transfer.done = done;
  return handle;
}

void Iommu::update_wires() {
  const std::uint16_t wires = engine_.wires();
  const unsigned changed = wires_ ^ wires;
  wires_ = wires;
  if (changed == 0 || lines_ == nullptr) return;
  for (unsigned vector = 0; vector < 16; ++vector)
    if (base::bit(changed, vector)) lines_->set_level(vector, base::bit(wires, vector));
}

void Iommu::access_register(Payload& payload, sc_core::sc_time& delay) {
  const auto offset = static_cast<std::uint32_t>(payload.get_address());
  const unsigned bytes = payload.get_data_length();
  if ((bytes != 4 && bytes != 8) || offset % bytes != 0 || payload.get_address() >= kPieceBytes) {
    payload.set_response_status(::tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  std::uint64_t value = 0;
  if (functional_) functional_->catch_up(cycle(), delay);
  if (payload.is_write()) {
    std::memcpy(&value, payload.get_data_ptr(), bytes);
    if (functional_)
      functional_->write_register(offset, bytes, value, delay);
    else
      engine_.write_register(offset, bytes, value, cycle());
    wake_at(now_ps());
  } else {
    value = functional_ ? engine_.registers().read(offset, bytes) : engine_.read_register(offset, bytes, cycle());
    std::memcpy(payload.get_data_ptr(), &value, bytes);
  }
  if (recorder_ != nullptr) record_register(payload, value);
  update_wires();
  payload.set_response_status(::tlm::TLM_OK_RESPONSE);
}

}  // namespace iommusim::bus
