// SPDX-License-Identifier: Apache-2.0
// Messages through the IOMMU module: from the DMA ports to the engine, and from the engine to the credits of devices.
#include "tlm/iommu.h"

namespace iommusim::bus {

/// A message that waits for nothing: a credit, and in functional mode any.
void Iommu::accept_message(unsigned port, Payload& payload, sc_core::sc_event* done) {
  wake_at(now_ps());
  translate::InvalidationCompletion completion;
  switch (message_of(payload).kind) {
    case MessageExtension::Kind::kCredit:
      return messages_.give_credit(port, payload, done);
    case MessageExtension::Kind::kPageRequest:
      functional_->page_request(messages_.page_request(payload));
      break;
    case MessageExtension::Kind::kInvalidationCompletion:
      if (!messages_.completion(payload, completion) || !functional_->invalidation_completion(completion))
        messages_.unexpected();
      break;
  }
  answer_message(port, payload, done);
}

void Iommu::answer_message(unsigned port, Payload& payload, sc_core::sc_event* done) {
  payload.set_response_status(::tlm::TLM_OK_RESPONSE);
  if (done != nullptr) return done->notify(sc_core::SC_ZERO_TIME);
  dma_ports_[port]->messages.push_back(&payload);
  ++answers_waiting_;
}

/// Messages in both directions, and time-outs; true: something moved.
bool Iommu::exchange_messages(Picoseconds now, base::Cycle cycle) {
  bool moved = false;
  const std::uint32_t over = messages_.take_timed_out(engine_.registers().invalidations().outstanding_tags(), now);
  if (over != 0) {
    engine_.invalidation_time_out(over, cycle);
    moved = true;
  }
  for (auto& port : dma_ports_)
    while (!port->incoming.empty() && port->incoming.front().message != nullptr &&
           port->incoming.front().since <= now && take_message(*port, cycle))
      moved = true;
  IommuMessages::Delivery delivery;
  auto& out = engine_.messages();
  for (; !out.empty() && messages_.send(out.front(), now, delivery); out.pop(), moved = true)
    if (delivery.answer != nullptr) answer_message(delivery.port, *delivery.answer, delivery.done);
  return moved;
}

/// The oldest payload of the port is a message; false: it must wait, and what is behind it with it.
bool Iommu::take_message(DmaPort& port, base::Cycle cycle) {
  Incoming& incoming = port.incoming.front();
  Payload& payload = *incoming.message;
  if (message_of(payload).kind == MessageExtension::Kind::kPageRequest) {
    if (!engine_.can_accept_page_request()) return false;
    engine_.page_request(messages_.page_request(payload), cycle);
  } else {
    // PCIe ATS: the completion tells that earlier requests with the old translation have gone ahead of it. They must be
    // in the pipeline, for there the fence that waits for the completion finds them.
    if (incoming.mark == kNoMark) incoming.mark = engine_.ingress_mark();
    if (!engine_.passed(incoming.mark)) return false;
    translate::InvalidationCompletion completion;
    if (!messages_.completion(payload, completion) || !engine_.invalidation_completion(completion, cycle))
      messages_.unexpected();
  }
  answer_message(port.index, payload, incoming.done);
  port.incoming.pop();
  --messages_waiting_;
  return true;
}

void Iommu::send_messages_functionally(Picoseconds now) {
  const std::uint32_t over = messages_.take_timed_out(engine_.registers().invalidations().outstanding_tags(), now);
  if (over != 0) functional_->invalidation_time_out(over);
  IommuMessages::Delivery delivery;
  auto& out = functional_->messages();
  for (; !out.empty() && messages_.send(out.front(), now, delivery); out.pop_front())
    if (delivery.answer != nullptr) answer_message(delivery.port, *delivery.answer, delivery.done);
}

}  // namespace iommusim::bus
