// SPDX-License-Identifier: Apache-2.0
// The untimed side of the IOMMU module: transport_dbg translates with the functional engine, without any effect.
#include "tlm/iommu.h"
#include "tlm/iommu_request.h"
#include "translate/functional.h"

namespace iommusim::bus {

namespace {

/// Memory as transport_dbg of a socket reaches it; writes are refused, for peek() makes none.
class DebugMemory final : public translate::MemoryPort {
 public:
  explicit DebugMemory(InitiatorSocket& socket) : socket_(socket) {}
  translate::MemoryAnswer read(const translate::MemoryAsk& ask) override {
    translate::MemoryAnswer answer;
    Payload payload;
    set_access(payload, false, ask.address, reinterpret_cast<std::uint8_t*>(answer.data.data()), ask.bytes);
    if (socket_->transport_dbg(payload) != ask.bytes) answer.status = translate::MemoryStatus::kAccessFault;
    return answer;
  }
  translate::MemoryStatus write(const translate::MemoryAsk&) override { return translate::MemoryStatus::kAccessFault; }
  translate::MemoryAnswer compare_swap(const translate::MemoryAsk&) override {
    return {translate::MemoryStatus::kAccessFault, {}};
  }

 private:
  InitiatorSocket& socket_;
};

}  // namespace

unsigned Iommu::debug(unsigned port, Payload& payload) {
  if (is_register_port(port)) {  // a read has no side effect; a debug write is an ordinary one
    sc_core::sc_time delay;
    access_register(payload, delay);
    return payload.is_response_ok() ? payload.get_data_length() : 0;
  }
  // Neither a message nor a translation request can be without effect.
  if (dma_of(payload).type == translate::AddressType::kMessage ||
      dma_of(payload).type == translate::AddressType::kAtsRequest)
    return 0;
  DebugMemory memory(own_port_.socket);
  translate::FunctionalEngine functional(engine_.registers(), memory);
  unsigned done = 0;
  while (done < payload.get_data_length()) {
    const std::uint64_t address = payload.get_address() + done;
    const std::uint32_t bytes = piece_bytes(address, payload.get_data_length() - done);
    const translate::Outcome outcome = functional.peek(request_of(payload, dma_of(payload), address, bytes));
    if (outcome.kind != translate::Outcome::Kind::kTranslated) break;
    if (outcome.absorbed()) {
      absorb(payload, done, bytes);
      done += bytes;
      continue;
    }
    Payload piece;
    set_access(piece, payload.is_write(), outcome.spa, payload.get_data_ptr() + done, bytes);
    if (forward_port_.socket->transport_dbg(piece) != bytes) break;
    done += bytes;
  }
  return done;
}

}  // namespace iommusim::bus
