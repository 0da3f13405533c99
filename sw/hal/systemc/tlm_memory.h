// SPDX-License-Identifier: Apache-2.0
// System memory as the processor reaches it in a simulation: through the debug transport of a TLM-2.0 socket, at once
// and without bus traffic; the processor is charged a time for each cache line that it touches. An access is atomic
// because nothing runs in between: the time is charged after it. (Model: processor caches hide the bus; only their cost
// is kept.)
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <systemc>

#include "hal/hardware.h"

namespace iommusim::hal {

struct TlmMemoryParams {
  std::uint64_t line_ns = 0;  ///< processor time for each 64-byte line touched; 0 also saves the thread switch
};

class TlmMemory final : public sc_core::sc_module, public Memory {
 public:
  TlmMemory(const sc_core::sc_module_name& name, const TlmMemoryParams& params);

  void read(std::uint64_t spa, void* out, std::size_t bytes) override;
  void write(std::uint64_t spa, const void* in, std::size_t bytes) override;
  std::uint64_t load64(std::uint64_t spa) override;
  void store64(std::uint64_t spa, std::uint64_t value) override;
  bool compare_exchange64(std::uint64_t spa, std::uint64_t& expected, std::uint64_t desired) override;
  /// One process runs at a time and all its accesses are done when they return.
  void barrier() override {}

  tlm_utils::simple_initiator_socket<TlmMemory> socket;

 private:
  void transport(tlm::tlm_command command, std::uint64_t spa, unsigned char* data, std::size_t bytes);
  void charge(std::uint64_t spa, std::size_t bytes);

  const TlmMemoryParams params_;
};

}  // namespace iommusim::hal
