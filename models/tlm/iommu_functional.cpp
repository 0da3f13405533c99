// SPDX-License-Identifier: Apache-2.0
#include "tlm/iommu_functional.h"

#include "tlm/memory_extension.h"
#include "tlm/payload_pool.h"

namespace iommusim::bus {

::tlm::tlm_response_status status_of(translate::Response response) {
  switch (response) {
    case translate::Response::kSuccess:
      return ::tlm::TLM_OK_RESPONSE;
    case translate::Response::kUnsupportedRequest:
      return ::tlm::TLM_ADDRESS_ERROR_RESPONSE;
    case translate::Response::kCompleterAbort:
      return ::tlm::TLM_GENERIC_ERROR_RESPONSE;
  }
  return ::tlm::TLM_GENERIC_ERROR_RESPONSE;
}

IommuFunctional::IommuFunctional(translate::Registers& registers, const translate::FunctionalCacheParams& caches,
                                 InitiatorSocket& own, InitiatorSocket& dma, stats::Group& parent)
    : own_(own), dma_(dma), stats_(parent, "functional"), engine_(registers, *this, nullptr, caches) {}

void IommuFunctional::perform(Payload& payload, sc_core::sc_time& delay) {
  delay_ = delay;
  auto worst = translate::Response::kSuccess;
  for (std::uint32_t done = 0, bytes = 0; done < payload.get_data_length(); done += bytes) {
    const std::uint64_t address = payload.get_address() + done;
    bytes = piece_bytes(address, payload.get_data_length() - done);
    const translate::Outcome& outcome = engine_.translate(request_of(payload, address, bytes));
    auto response = outcome.response;
    if (outcome.kind == translate::Outcome::Kind::kTranslated) {
      ++stats_.translated;
      Payload piece;
      set_access(piece, payload.is_write(), outcome.spa, payload.get_data_ptr() + done, bytes);
      dma_->b_transport(piece, delay_);
      response = piece.is_response_ok() ? translate::Response::kSuccess : translate::Response::kCompleterAbort;
    } else {
      ++stats_.faulted;
    }
    worst = std::max(worst, response);
  }
  dma_of(payload).response = worst;
  payload.set_response_status(status_of(worst));
  delay = delay_;
}

void IommuFunctional::write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value,
                                     sc_core::sc_time& delay) {
  delay_ = delay;
  engine_.write_register(offset, bytes, value);
  delay = delay_;
}

translate::MemoryAnswer IommuFunctional::access(const translate::MemoryAsk& ask, bool write, bool swap) {
  ++stats_.accesses;
  translate::MemoryAnswer answer;
  auto* const data = reinterpret_cast<std::uint8_t*>(answer.data.data());
  if (write) std::memcpy(data, ask.data.data(), ask.bytes);
  AtomicExtension atomic;
  PoisonExtension poison;
  Payload payload;
  set_access(payload, write, ask.address, data, ask.bytes);
  if (swap) {
    atomic.expected = ask.data[0];
    atomic.desired = ask.data[1];
    atomic.bytes = ask.bytes;
    payload.set_extension(&atomic);
  }
  payload.set_extension(&poison);
  own_->b_transport(payload, delay_);
  payload.clear_extension(&atomic);
  payload.clear_extension(&poison);
  if (!payload.is_response_ok())
    answer.status = poison.poisoned ? translate::MemoryStatus::kCorrupt : translate::MemoryStatus::kAccessFault;
  return answer;
}

}  // namespace iommusim::bus
