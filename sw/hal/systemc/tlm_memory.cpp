// SPDX-License-Identifier: Apache-2.0
// Processor accesses to memory by debug transport.
#include "hal_systemc/tlm_memory.h"

#include <array>
#include <cstdio>

#include "hal/contradiction.h"
#include "hal_systemc/systemc_os.h"

namespace iommusim::hal {

TlmMemory::TlmMemory(const sc_core::sc_module_name& name, const TlmMemoryParams& params)
    : sc_module(name), socket("socket"), params_(params) {}

void TlmMemory::transport(tlm::tlm_command command, std::uint64_t spa, unsigned char* data, std::size_t bytes) {
  tlm::tlm_generic_payload payload;
  payload.set_command(command);
  payload.set_address(spa);
  payload.set_data_ptr(data);
  payload.set_data_length(static_cast<unsigned>(bytes));
  payload.set_streaming_width(static_cast<unsigned>(bytes));
  const unsigned done = socket->transport_dbg(payload);
  if (done == bytes) return;
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "processor access to 0x%llx: %u of %zu bytes done",
                static_cast<unsigned long long>(spa), done, bytes);
  contradiction(text.data());
}

void TlmMemory::charge(std::uint64_t spa, std::size_t bytes) {
  if (params_.line_ns == 0 || bytes == 0) return;
  systemc_wait_ns(((spa + bytes - 1) / 64 - spa / 64 + 1) * params_.line_ns);
}

void TlmMemory::read(std::uint64_t spa, void* out, std::size_t bytes) {
  if (bytes != 0) transport(tlm::TLM_READ_COMMAND, spa, static_cast<unsigned char*>(out), bytes);
  charge(spa, bytes);
}

void TlmMemory::write(std::uint64_t spa, const void* in, std::size_t bytes) {
  // TLM has one data pointer for both directions; a write does not modify what it points to.
  auto* data = const_cast<unsigned char*>(static_cast<const unsigned char*>(in));
  if (bytes != 0) transport(tlm::TLM_WRITE_COMMAND, spa, data, bytes);
  charge(spa, bytes);
}

std::uint64_t TlmMemory::load64(std::uint64_t spa) {
  std::uint64_t value = 0;
  read(spa, &value, sizeof value);
  return value;
}

void TlmMemory::store64(std::uint64_t spa, std::uint64_t value) { write(spa, &value, sizeof value); }

bool TlmMemory::compare_exchange64(std::uint64_t spa, std::uint64_t& expected, std::uint64_t desired) {
  std::uint64_t found = 0;
  transport(tlm::TLM_READ_COMMAND, spa, reinterpret_cast<unsigned char*>(&found), sizeof found);
  const bool equal = found == expected;
  if (equal)
    transport(tlm::TLM_WRITE_COMMAND, spa, reinterpret_cast<unsigned char*>(&desired), sizeof desired);
  else
    expected = found;
  charge(spa, sizeof found);
  return equal;
}

}  // namespace iommusim::hal
