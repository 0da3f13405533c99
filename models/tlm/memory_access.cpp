// SPDX-License-Identifier: Apache-2.0
// What an access to memory does, without its time: checks, errors, effect; the same for every way of transport.
#include <cstring>

#include "tlm/memory.h"
#include "tlm/memory_extension.h"

namespace iommusim::bus {

Picoseconds Memory::perform(unsigned port, Payload& payload, Picoseconds at) {
  MemoryPortStats& stats = ports_[port]->stats;
  const std::uint64_t address = payload.get_address();
  const std::uint32_t bytes = payload.get_data_length();
  const Injected injected = injector_ == nullptr ? Injected{} : injector_->inspect(port, payload);
  auto status = ::tlm::TLM_OK_RESPONSE;
  if (!store_.contains(address, bytes) || injected.fault == Injected::Fault::kAccessFault) {
    status = ::tlm::TLM_ADDRESS_ERROR_RESPONSE;
  } else if (injected.fault == Injected::Fault::kPoison) {
    if (auto* poison = payload.get_extension<PoisonExtension>()) poison->poisoned = true;
    status = ::tlm::TLM_GENERIC_ERROR_RESPONSE;
  } else if (payload.get_byte_enable_ptr() != nullptr) {
    status = ::tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
  } else if (payload.get_streaming_width() < bytes) {
    status = ::tlm::TLM_BURST_ERROR_RESPONSE;
  }
  if (status == ::tlm::TLM_OK_RESPONSE)
    touch(stats, payload);
  else
    ++stats.errors;
  payload.set_response_status(status);
  const bool reaches_cells = timed_inside_ && status == ::tlm::TLM_OK_RESPONSE;
  return injected.delay + (reaches_cells ? inside(payload, at) : 0);
}

Picoseconds Memory::inside(const Payload& payload, Picoseconds at) {
  if (payload.get_data_length() == 0) return 0;
  const auto* const atomic = payload.get_extension<AtomicExtension>();
  const bool write = payload.is_write() || (atomic != nullptr && atomic->bytes != 0);
  if (!cache_.enabled()) return dram_.access(payload.get_address(), payload.get_data_length(), at) - at;
  const auto* const origin = payload.get_extension<OriginExtension>();
  const MemoryClient client = origin == nullptr ? MemoryClient::kProcessor
                              : origin->own     ? MemoryClient::kIommu
                                                : MemoryClient::kDma;
  return cache_.access(client, write, payload.get_address(), payload.get_data_length(), at) - at;
}

void Memory::touch(MemoryPortStats& stats, Payload& payload) {
  const std::uint64_t address = payload.get_address();
  const std::uint32_t bytes = payload.get_data_length();
  std::uint8_t* data = payload.get_data_ptr();
  const auto* atomic = payload.get_extension<AtomicExtension>();
  if (payload.is_write()) {
    store_.write(address, data, bytes);
    ++stats.writes;
    stats.bytes_written += bytes;
  } else if (payload.is_read() && atomic != nullptr && atomic->bytes != 0) {
    base::ensure(atomic->bytes == bytes, "a compare-and-swap of another length than its payload's");
    const std::uint64_t old = store_.compare_swap(address, bytes, atomic->expected, atomic->desired);
    std::memcpy(data, &old, bytes);
    ++stats.atomics;
  } else if (payload.is_read()) {
    store_.read(address, data, bytes);
    ++stats.reads;
    stats.bytes_read += bytes;
  }
}

void Memory::blocking(unsigned port, Payload& payload, sc_core::sc_time& delay) {
  // Model: a loosely-timed access takes effect at once and does not compete for the path; in cache and cells it takes
  // its place among the others.
  count_request(port);
  const Picoseconds more = perform(port, payload, now_ps() + delay.value());
  delay += to_sc_time(rate_.after({}, payload.get_data_length()).rounded_up() + latency_ + more);
  ++stats_.answered;
}

unsigned Memory::debug(unsigned, Payload& payload) {
  const std::uint32_t bytes = payload.get_data_length();
  if (!store_.contains(payload.get_address(), bytes)) {
    payload.set_response_status(::tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return 0;
  }
  if (payload.is_write())
    store_.write(payload.get_address(), payload.get_data_ptr(), bytes);
  else if (payload.is_read())
    store_.read(payload.get_address(), payload.get_data_ptr(), bytes);
  payload.set_response_status(::tlm::TLM_OK_RESPONSE);
  return bytes;
}

bool Memory::direct(unsigned, Payload& payload, ::tlm::tlm_dmi& direct) {
  const std::uint64_t page = base::align_down(payload.get_address(), base::kPageSize);
  const bool granted = dmi_ && injector_ == nullptr && store_.contains(page, base::kPageSize);
  payload.set_dmi_allowed(granted);
  if (!granted) return false;
  direct.set_start_address(page);
  direct.set_end_address(page + base::kPageSize - 1);
  direct.set_dmi_ptr(store_.page(page));
  direct.set_read_latency(to_sc_time(latency_));
  direct.set_write_latency(to_sc_time(latency_));
  direct.allow_read_write();
  return true;
}

}  // namespace iommusim::bus
