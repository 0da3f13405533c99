// SPDX-License-Identifier: Apache-2.0
// One register access as one transaction.
#include "hal_systemc/tlm_mmio.h"

#include <string>

#include "hal/contradiction.h"
#include "hal_systemc/systemc_os.h"

namespace iommusim::hal {
namespace {

template <class Word>
unsigned char* bytes_of(Word& word) {
  return reinterpret_cast<unsigned char*>(&word);
}

}  // namespace

TlmMmio::TlmMmio(const sc_core::sc_module_name& name, const TlmMmioParams& params)
    : sc_module(name), socket("socket"), params_(params) {}

void TlmMmio::access(tlm::tlm_command command, std::uint32_t offset, unsigned char* data, unsigned bytes) {
  tlm::tlm_generic_payload payload;
  payload.set_command(command);
  payload.set_address(params_.base + offset);
  payload.set_data_ptr(data);
  payload.set_data_length(bytes);
  payload.set_streaming_width(bytes);
  payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  socket->b_transport(payload, delay);
  if (!payload.is_response_ok())
    contradiction("register access at offset " + std::to_string(offset) + ": " + payload.get_response_string());
  const std::uint64_t cpu_ns = command == tlm::TLM_READ_COMMAND ? params_.cpu_read_ns : params_.cpu_write_ns;
  delay += sc_core::sc_time(static_cast<double>(cpu_ns), sc_core::SC_NS);
  systemc_wait(delay);
}

std::uint32_t TlmMmio::read32(std::uint32_t offset) {
  std::uint32_t value = 0;
  access(tlm::TLM_READ_COMMAND, offset, bytes_of(value), sizeof value);
  return value;
}

std::uint64_t TlmMmio::read64(std::uint32_t offset) {
  std::uint64_t value = 0;
  access(tlm::TLM_READ_COMMAND, offset, bytes_of(value), sizeof value);
  return value;
}

void TlmMmio::write32(std::uint32_t offset, std::uint32_t value) {
  access(tlm::TLM_WRITE_COMMAND, offset, bytes_of(value), sizeof value);
}

void TlmMmio::write64(std::uint32_t offset, std::uint64_t value) {
  access(tlm::TLM_WRITE_COMMAND, offset, bytes_of(value), sizeof value);
}

}  // namespace iommusim::hal
