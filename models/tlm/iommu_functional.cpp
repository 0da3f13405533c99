// SPDX-License-Identifier: Apache-2.0
#include "tlm/iommu_functional.h"

#include "base/bits.h"

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
                                 InitiatorSocket& own, InitiatorSocket& dma, translate::TranslationHolder& holder,
                                 stats::Group& parent)
    : own_(own), dma_(dma), stats_(parent, "functional"), engine_(registers, *this, this, caches), monitor_(registers) {
  engine_.set_holder(&holder);
  access_.origin.own = true;
}

void IommuFunctional::perform(Payload& payload, sc_core::sc_time& delay) {
  delay_ = delay;
  auto worst = translate::Response::kSuccess;
  for (std::uint32_t done = 0, bytes = 0; done < payload.get_data_length(); done += bytes) {
    const std::uint64_t address = payload.get_address() + done;
    bytes = piece_bytes(address, payload.get_data_length() - done);
    const translate::Outcome& outcome = engine_.translate(request_of(payload, dma_of(payload), address, bytes));
    auto response = outcome.response;
    if (outcome.kind == translate::Outcome::Kind::kTranslated && complete_ats(payload, outcome)) {
      ++stats_.translated;
    } else if (outcome.kind == translate::Outcome::Kind::kTranslated) {
      ++stats_.translated;
      if (outcome.absorbed())
        absorb(payload, done, bytes);
      else
        response = forward(payload, done, bytes, outcome);
    } else {
      ++stats_.faulted;
    }
    worst = std::max(worst, response);
  }
  dma_of(payload).response = worst;
  payload.set_response_status(status_of(worst));
  delay = delay_;
}

translate::Response IommuFunctional::forward(const Payload& payload, std::uint32_t offset, std::uint32_t bytes,
                                             const translate::Outcome& outcome) {
  set_access(piece_, payload.is_write(), outcome.spa, payload.get_data_ptr() + offset, bytes);
  piece_.set_response_status(::tlm::TLM_INCOMPLETE_RESPONSE);
  piece_.origin.device = dma_of(payload).device;
  piece_.origin.qos = outcome.qos;
  dma_->b_transport(piece_, delay_);
  return piece_.is_response_ok() ? translate::Response::kSuccess : translate::Response::kCompleterAbort;
}

void IommuFunctional::write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value,
                                     sc_core::sc_time& delay) {
  delay_ = delay;
  engine_.write_register(offset, bytes, value);
  monitor_.find_overflow();
  delay = delay_;
}

void IommuFunctional::catch_up(base::Cycle now, sc_core::sc_time& delay) {
  if (!monitor_.present()) return;
  delay_ = delay;
  const bool overflows = now >= monitor_.next_overflow();
  monitor_.catch_up(now);
  if (overflows) {
    engine_.send_messages();
    monitor_.find_overflow();
  }
  delay = delay_;
}

void IommuFunctional::page_request(const translate::PageRequest& request) {
  delay_ = sc_core::SC_ZERO_TIME;
  engine_.page_request(request);
}

bool IommuFunctional::invalidation_completion(const translate::InvalidationCompletion& message) {
  delay_ = sc_core::SC_ZERO_TIME;
  return engine_.invalidation_completion(message);
}

void IommuFunctional::invalidation_time_out(std::uint32_t itag_vector) {
  delay_ = sc_core::SC_ZERO_TIME;
  engine_.invalidation_time_out(itag_vector);
}

translate::MemoryAnswer IommuFunctional::access(const translate::MemoryAsk& ask, bool write, bool swap) {
  std::uint64_t delay_ns = 0;
  const auto answer = timing::perform_with(injector_, ask, write || swap, now_ps() + delay_.value(), delay_ns,
                                           [&] { return send_access(ask, write, swap); });
  if (delay_ns != 0) delay_ += to_sc_time(delay_ns * 1000);
  return answer;
}

translate::MemoryAnswer IommuFunctional::send_access(const translate::MemoryAsk& ask, bool write, bool swap) {
  ++stats_.accesses;
  translate::MemoryAnswer answer;
  auto* const data = reinterpret_cast<std::uint8_t*>(answer.data.data());
  if (write) std::memcpy(data, ask.data.data(), ask.bytes);
  set_access(access_, write, ask.address, data, ask.bytes);
  access_.set_response_status(::tlm::TLM_INCOMPLETE_RESPONSE);
  access_.poison.poisoned = false;
  access_.atomic.expected = ask.data[0];
  access_.atomic.desired = ask.data[1];
  access_.atomic.bytes = swap ? ask.bytes : std::uint8_t{0};
  access_.origin.structure = ask.structure;
  access_.origin.qos = ask.qos;
  own_->b_transport(access_, delay_);
  if (!access_.is_response_ok())
    answer.status = access_.poison.poisoned ? translate::MemoryStatus::kCorrupt : translate::MemoryStatus::kAccessFault;
  return answer;
}

/// The access that was asked for and no other: a page that may be read need not be writable.
bool IommuFunctional::direct(Payload& payload, ::tlm::tlm_dmi& direct) {
  payload.set_dmi_allowed(false);
  const std::uint64_t page = base::align_down(payload.get_address(), kPieceBytes);
  const auto outcome = engine_.translate_unseen(request_of(payload, dma_of(payload), page, 1));
  if (!outcome) return false;
  set_access(piece_, payload.is_write(), outcome->spa, payload.get_data_ptr(), payload.get_data_length());
  ::tlm::tlm_dmi inner;
  if (!dma_->get_direct_mem_ptr(piece_, inner) || inner.get_start_address() > outcome->spa ||
      inner.get_end_address() - outcome->spa < kPieceBytes - 1)
    return false;
  direct = inner;
  direct.set_dmi_ptr(inner.get_dmi_ptr() + (outcome->spa - inner.get_start_address()));
  direct.set_start_address(page);
  direct.set_end_address(page + kPieceBytes - 1);
  direct.set_granted_access(payload.is_write() ? ::tlm::tlm_dmi::DMI_ACCESS_WRITE : ::tlm::tlm_dmi::DMI_ACCESS_READ);
  payload.set_dmi_allowed(true);
  return true;
}

}  // namespace iommusim::bus
