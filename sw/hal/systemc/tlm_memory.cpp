// SPDX-License-Identifier: Apache-2.0
#include "hal_systemc/tlm_memory.h"

#include "hal/contradiction.h"

namespace iommusim::hal {

void TlmMemory::access(bool is_write, std::uint64_t spa, void* data, std::size_t bytes) {
  tlm::tlm_generic_payload payload;
  payload.set_command(is_write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
  payload.set_address(spa);
  payload.set_data_ptr(static_cast<unsigned char*>(data));
  payload.set_data_length(static_cast<unsigned>(bytes));
  payload.set_streaming_width(static_cast<unsigned>(bytes));
  if (socket->transport_dbg(payload) != bytes) contradiction("software accessed an address outside of memory");
}

void TlmMemory::read(std::uint64_t spa, void* out, std::size_t bytes) {
  os_.spend_ns(cost_ns_);
  access(false, spa, out, bytes);
}

void TlmMemory::write(std::uint64_t spa, const void* in, std::size_t bytes) {
  os_.spend_ns(cost_ns_);
  access(true, spa, const_cast<void*>(in), bytes);
}

std::uint64_t TlmMemory::load64(std::uint64_t spa) {
  std::uint64_t value = 0;
  read(spa, &value, sizeof value);
  return value;
}

void TlmMemory::store64(std::uint64_t spa, std::uint64_t value) { write(spa, &value, sizeof value); }

bool TlmMemory::compare_exchange64(std::uint64_t spa, std::uint64_t& expected, std::uint64_t desired) {
  os_.spend_ns(cost_ns_);
  std::uint64_t found = 0;
  access(false, spa, &found, sizeof found);  // no wait from here to the write: the pair is atomic
  if (found != expected) {
    expected = found;
    return false;
  }
  access(true, spa, &desired, sizeof desired);
  return true;
}

}  // namespace iommusim::hal
