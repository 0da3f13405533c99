// SPDX-License-Identifier: Apache-2.0
#include "hal_systemc/tlm_mmio.h"

namespace iommusim::hal {

bool TlmMmio::access(bool is_write, std::uint32_t offset, unsigned bytes, std::uint64_t& value) {
  os_.spend_ns(cost_ns_);
  tlm::tlm_generic_payload payload;
  payload.set_command(is_write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
  payload.set_address(offset);
  payload.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
  payload.set_data_length(bytes);
  payload.set_streaming_width(bytes);
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  socket->b_transport(payload, delay);
  if (delay != sc_core::SC_ZERO_TIME) sc_core::wait(delay);
  return payload.is_response_ok();
}

std::uint64_t TlmMmio::read(std::uint32_t offset, unsigned bytes) {
  std::uint64_t value = 0;
  if (!access(false, offset, bytes, value)) value = ~0ULL;
  return value;
}

void TlmMmio::write(std::uint32_t offset, unsigned bytes, std::uint64_t value) { access(true, offset, bytes, value); }

}  // namespace iommusim::hal
