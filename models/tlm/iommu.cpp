// SPDX-License-Identifier: Apache-2.0
#include "tlm/iommu.h"

#include <algorithm>

#include "base/bits.h"
#include "tlm/iommu_request.h"

namespace iommusim::bus {

namespace {

constexpr Picoseconds kLongestPeriod = 1000000;  // of 1 MHz: time beyond does not fit

translate::MemoryAnswer answer_of(PooledPayload& payload) {
  translate::MemoryAnswer answer;
  if (payload.is_response_ok())
    std::memcpy(answer.data.data(), payload.buffer(), payload.get_data_length());
  else
    answer.status = payload.poison.poisoned ? translate::MemoryStatus::kCorrupt : translate::MemoryStatus::kAccessFault;
  return answer;
}

}  // namespace

Iommu::DmaPort::DmaPort(const std::string& name, unsigned index, Iommu& iommu, std::size_t outstanding)
    : index(index),
      target(name.c_str(), index, iommu),
      incoming(2),
      responses(outstanding + 2),
      performed(outstanding) {}

Iommu::Iommu(const sc_core::sc_module_name& name, const IommuParams& params, unsigned dma_ports,
             std::uint64_t timing_seed, stats::Group& parent)
    : TimedModule(name),
      params_(params),
      clock_(params.engine.clock_mhz),
      engine_(params.engine, params.implementation, timing_seed, parent, basename(), dma_ports),
      register_port_("registers", dma_ports, *this),
      own_port_("memory_own", kOwnPort, *this),
      forward_port_("memory_dma", kForwardPort, *this),
      messages_(params.ats_time_out_ns * 1000, parent, std::string(basename()) + "_messages"),
      pieces_(params.dma_outstanding),
      to_forward_(params.dma_outstanding),
      order_(params.dma_order, params.dma_outstanding),
      own_answers_(params.engine.memory_port.outstanding + 1),
      forward_answers_(params.dma_outstanding + 1),
      register_accesses_(2),
      register_done_(2),
      register_responses_(2) {
  if (params.mode == IommuMode::kFunctional)
    functional_ = std::make_unique<IommuFunctional>(engine_.registers(), params.functional, own_port_.socket,
                                                    forward_port_.socket,
                                                    static_cast<translate::TranslationHolder&>(*this), engine_.stats());
  for (unsigned i = 0; i < dma_ports; ++i)
    dma_ports_.push_back(std::make_unique<DmaPort>("dma" + std::to_string(i), i, *this, params.dma_outstanding));
  for (std::uint32_t i = params.dma_outstanding; i-- > 0;) free_pieces_.push_back(i);
}

bool Iommu::idle() const {
  for (const auto& port : dma_ports_)
    if (port->performed.size() != 0) return false;
  return transfers_.in_use() == 0 && engine_.idle();
}

Picoseconds Iommu::work(Picoseconds now) {
  while (register_accesses_.due(now)) {
    Payload* const payload = register_accesses_.pop();
    sc_core::sc_time delay;  // Model: what the access starts in functional mode costs the caller nothing more
    access_register(*payload, delay);
    register_done_.push(now + clock_.time_of(params_.engine.registers.access_cycles - effect_cycles(*payload)),
                        payload);
  }
  while (register_done_.due(now)) register_responses_.push(register_done_.pop());
  if (functional_) return work_functionally();
  const base::Cycle cycle = clock_.edge_at_or_after(now);
  if (const Picoseconds edge = clock_.time_of(cycle); edge != now)
    return std::min({edge, register_accesses_.next(), register_done_.next()});

  while (own_answers_.due(now)) {
    PooledPayload& payload = *own_answers_.pop();
    engine_.memory_answer(payload.slot, answer_of(payload), cycle);
    payload.release();
  }
  while (forward_answers_.due(now)) {
    PooledPayload& payload = *forward_answers_.pop();
    engine_.forwarded_done(pieces_[payload.slot].ticket);
    end_piece(payload.slot,
              payload.is_response_ok() ? translate::Response::kSuccess : translate::Response::kCompleterAbort);
    payload.release();
  }
  // The engine itself goes on until nothing moves: it is asked again only when it was given something.
  for (bool moved = true, given = true; moved;) {
    const bool fed = transfers_waiting_ != 0 && feed(now, cycle);
    if (fed || given) engine_.step(cycle);
    const bool drained = !engine_.finished().empty() && drain(cycle);
    given = params_.own_accesses == OwnAccesses::kFree && perform_own(cycle);
    given |= may_exchange_messages() && exchange_messages(now, cycle);
    moved = fed || drained || given;
  }
  if (params_.shared_port_cycles != 0) {
    send_in_turns(now);
  } else {
    send_own(now);
    send_forward(now);
  }
  send_responses();
  take_waiting();
  update_wires();

  Picoseconds next = clock_.time_of(engine_.next_event());
  const auto consider = [&next](Picoseconds time) { next = std::min(next, time); };
  if (engine_.next_timer() < kNever / kLongestPeriod) consider(clock_.time_of(engine_.next_timer()));
  consider(own_answers_.next());
  consider(forward_answers_.next());
  consider(register_accesses_.next());
  consider(register_done_.next());
  consider(messages_.next_time_out(engine_.registers().invalidations().outstanding_tags()));
  if (!engine_.memory_requests().empty() && own_port_.ready_at() != kNever)
    consider(std::max({own_port_.ready_at(), shared_free_at_, now + 1}));
  if (!to_forward_.empty() && forward_port_.ready_at() != kNever)
    consider(std::max({forward_port_.ready_at(), shared_free_at_, now + 1}));
  for (const auto& port : dma_ports_)
    if (!port->incoming.empty() && port->incoming.front().since > now) consider(port->incoming.front().since);
  return next;
}

Picoseconds Iommu::work_functionally() {
  if (cycle() >= functional_->next_overflow()) {
    sc_core::sc_time delay;
    functional_->catch_up(cycle(), delay);
  }
  send_messages_functionally(now_ps());
  send_responses();
  take_waiting();
  update_wires();
  Picoseconds next = std::min(std::min(register_accesses_.next(), register_done_.next()),
                              messages_.next_time_out(engine_.registers().invalidations().outstanding_tags()));
  if (functional_->next_overflow() < kNever / kLongestPeriod)
    next = std::min(next, clock_.time_of(functional_->next_overflow()));
  for (const auto& port : dma_ports_)
    if (!port->target.responding()) next = std::min(next, port->performed.next());
  return next;
}

/// Hands pieces of waiting transfers to the engine, round robin among the ports.
bool Iommu::feed(Picoseconds now, base::Cycle cycle) {
  bool moved = false;
  const auto count = static_cast<unsigned>(dma_ports_.size());
  for (unsigned tried = 0; tried < count && engine_.can_accept() && !free_pieces_.empty();) {
    DmaPort& port = *dma_ports_[next_port_];
    next_port_ = next_port_ + 1 == count ? 0 : next_port_ + 1;
    if (port.incoming.empty() || port.incoming.front().since > now || port.incoming.front().message != nullptr) {
      ++tried;
      continue;
    }
    if (!feed_piece(port, cycle)) {
      ++tried;
      continue;
    }
    moved = true;
    tried = 0;
  }
  return moved;
}

/// false: a write has to wait for room for its data, and what is behind it with it.
bool Iommu::feed_piece(DmaPort& port, base::Cycle cycle) {
  const TransferHandle handle = port.incoming.front().transfer;
  Transfer& transfer = transfers_.get(handle);
  const std::uint32_t bytes = piece_bytes(transfer.address, transfer.bytes_left);
  if (transfer.payload->is_write() && !engine_.has_room_for_write(bytes)) return false;

  const std::uint32_t number = free_pieces_.back();
  free_pieces_.pop_back();
  Piece& piece = pieces_[number];
  piece.transfer = handle;
  piece.offset = transfer.payload->get_data_length() - transfer.bytes_left;
  piece.bytes = bytes;

  if (order_.on()) order_.begin(number, *transfer.payload, port.index);
  engine_.accept(request_of(*transfer.payload, *transfer.dma, transfer.address, bytes), number, cycle, port.index);

  transfer.address += bytes;
  transfer.bytes_left -= bytes;
  ++transfer.pieces_inside;
  if (transfer.bytes_left != 0) return true;
  port.incoming.pop();
  --transfers_waiting_;
  return true;
}

/// Takes finished translations out of the engine.
bool Iommu::drain(base::Cycle) {
  auto& finished = engine_.finished();
  const bool moved = !finished.empty();
  while (!finished.empty()) {
    const timing::Finished& done = finished.front();
    const auto number = static_cast<std::uint32_t>(done.cookie);
    const Piece& piece = pieces_[number];
    Payload& payload = *transfers_.get(piece.transfer).payload;
    if (recorder_ != nullptr) decided_[number] = done;
    if (done.forwards) {
      pieces_[number].spa = done.outcome.spa;
      pieces_[number].ticket = done.ticket;
      pieces_[number].qos = done.outcome.qos;
      if (order_.on())
        order_.translated(number, to_forward_);
      else
        to_forward_.push(number);
    } else if (done.outcome.kind == translate::Outcome::Kind::kTranslated) {
      if (done.outcome.absorbed())
        absorb(payload, piece.offset, piece.bytes);
      else
        complete_ats(payload, done.outcome);
      if (order_.on()) order_.dropped(number, to_forward_);
      end_piece(number, translate::Response::kSuccess);
    } else {
      if (order_.on()) order_.dropped(number, to_forward_);
      end_piece(number, done.outcome.response);
    }
    finished.pop();
  }
  return moved;
}

void Iommu::send_forward(Picoseconds now) {
  while (!to_forward_.empty() && forward_port_.ready(now)) send_piece();
}

/// The oldest translated piece goes to memory.
void Iommu::send_piece() {
  const std::uint32_t number = to_forward_.front();
  to_forward_.pop();
  const Piece& piece = pieces_[number];
  const Transfer& transfer = transfers_.get(piece.transfer);
  const Payload& parent = *transfer.payload;
  PooledPayload& payload = forward_pool_.take();
  set_access(payload, parent.is_write(), piece.spa, parent.get_data_ptr() + piece.offset, piece.bytes);
  payload.slot = number;
  payload.origin.device = transfer.dma->device;
  payload.origin.qos = piece.qos;
  forward_port_.send(payload);
}

/// Own accesses and DMA alternate where both want the port.
void Iommu::send_in_turns(Picoseconds now) {
  while (shared_free_at_ <= now) {
    const bool own = !engine_.memory_requests().empty() && own_port_.ready(now);
    const bool forward = !to_forward_.empty() && forward_port_.ready(now);
    if (!own && !forward) return;
    own_went_last_ = own && !(forward && own_went_last_);
    if (own_went_last_)
      own_port_.send(take_own());
    else
      send_piece();
    shared_free_at_ = now + clock_.time_of(params_.shared_port_cycles);
  }
}

void Iommu::send_own(Picoseconds now) {
  while (!engine_.memory_requests().empty() && own_port_.ready(now)) own_port_.send(take_own());
}

/// Own accesses that are free have their effect and their answer at once; true: there were some.
bool Iommu::perform_own(base::Cycle cycle) {
  bool moved = false;
  for (; !engine_.memory_requests().empty(); moved = true) {
    PooledPayload& payload = take_own();
    sc_core::sc_time delay;
    own_port_.socket->b_transport(payload, delay);
    engine_.memory_answer(payload.slot, answer_of(payload), cycle);
    payload.release();
  }
  return moved;
}

/// The oldest access that the engine wants to make.
PooledPayload& Iommu::take_own() {
  auto& requests = engine_.memory_requests();
  const timing::MemoryRequest& request = requests.front();
  PooledPayload& payload = own_pool_.take();
  set_access(payload, request.is_write, request.ask.address, payload.buffer(), request.ask.bytes);
  payload.slot = request.tag;
  payload.origin.own = true;
  payload.origin.structure = request.ask.structure;
  payload.origin.qos = request.ask.qos;
  if (request.is_write) std::memcpy(payload.buffer(), request.ask.data.data(), request.ask.bytes);
  if (request.is_compare_swap) {
    payload.atomic.expected = request.ask.data[0];
    payload.atomic.desired = request.ask.data[1];
    payload.atomic.bytes = request.ask.bytes;
  }
  requests.pop();
  return payload;
}

void Iommu::end_piece(std::uint32_t number, translate::Response response) {
  if (recorder_ != nullptr) record_piece(number);
  const TransferHandle handle = pieces_[number].transfer;
  free_pieces_.push_back(number);
  Transfer& transfer = transfers_.get(handle);
  transfer.worst = std::max(transfer.worst, response);
  if (--transfer.pieces_inside != 0 || transfer.bytes_left != 0) return;
  transfer.dma->response = transfer.worst;
  transfer.payload->set_response_status(status_of(transfer.worst));
  if (transfer.done != nullptr) {
    transfer.done->notify(sc_core::SC_ZERO_TIME);
    transfers_.give_back(handle);
  } else {
    dma_ports_[transfer.port]->responses.push(handle);
    ++responses_waiting_;
  }
}

void Iommu::send_responses() {
  if (functional_)
    for (auto& port : dma_ports_)
      while (port->performed.due(now_ps()) && !port->target.responding()) port->target.respond(*port->performed.pop());
  for (std::size_t i = 0; i < dma_ports_.size() && answers_waiting_ != 0; ++i) {
    DmaPort& port = *dma_ports_[i];
    while (!port.messages.empty() && !port.target.responding()) {
      Payload& payload = *port.messages.front();
      port.messages.pop_front();
      --answers_waiting_;
      port.target.respond(payload);
    }
  }
  for (std::size_t i = 0; i < dma_ports_.size() && responses_waiting_ != 0; ++i) {
    DmaPort& port = *dma_ports_[i];
    while (!port.responses.empty() && !port.target.responding()) {
      const TransferHandle handle = port.responses.front();
      port.responses.pop();
      --responses_waiting_;
      Payload& payload = *transfers_.get(handle).payload;
      transfers_.give_back(handle);
      port.target.respond(payload);
    }
  }
  while (!register_responses_.empty() && !register_port_.responding()) {
    Payload* const payload = register_responses_.front();
    register_responses_.pop();
    register_port_.respond(*payload);
  }
}

/// Functional mode: the effect is now, the answer when the annotated time has passed.
void Iommu::perform(DmaPort& port, Payload& payload, Picoseconds at) {
  sc_core::sc_time delay = to_sc_time(at - std::min(at, now_ps()));
  functional_->perform(payload, delay);
  const Picoseconds done = now_ps() + delay.value();
  port.performed.push(done, &payload);
  wake_at(done);
}

/// Requests that found their port full.
void Iommu::take_waiting() {
  for (auto& port : dma_ports_) {
    if (refused_ == 0) return;
    if (port->target.waiting() == nullptr) continue;
    if (functional_ && !port->performed.full()) {
      Payload& payload = *port->target.waiting();
      const Picoseconds since = port->target.waiting_since();
      --refused_;
      port->target.end_request();
      perform(*port, payload, since);
      continue;
    }
    if (functional_ || port->incoming.full()) continue;
    const auto index = static_cast<unsigned>(&port - dma_ports_.data());
    Payload& payload = *port->target.waiting();
    push_incoming(index, payload, dma_of(payload), port->target.waiting_since(), nullptr);
    --refused_;
    port->target.end_request();
    wake_at(now_ps());
  }
}

}  // namespace iommusim::bus
