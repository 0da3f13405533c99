// SPDX-License-Identifier: Apache-2.0
// System memory as software reaches it in a simulation: contents through the debug path of a TLM-2.0 socket, so that
// nothing queues behind DMA, and a fixed cost for each access. SystemC runs one thread at a time, so accesses are
// atomic and ordered by themselves.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <systemc>
#include <tlm>

#include "hal/hardware.h"
#include "hal/os.h"

namespace iommusim::hal {

class TlmMemory final : public sc_core::sc_module, public Memory {
 public:
  /// `cost_ns`: simulated time of each access.
  TlmMemory(const sc_core::sc_module_name& name, Os& os, std::uint64_t cost_ns)
      : sc_module(name), os_(os), cost_ns_(cost_ns) {}

  tlm_utils::simple_initiator_socket<TlmMemory> socket{"socket"};

  /// An access outside of memory is a contradiction: software has the address from its own allocator.
  void read(std::uint64_t spa, void* out, std::size_t bytes) override;
  void write(std::uint64_t spa, const void* in, std::size_t bytes) override;
  std::uint64_t load64(std::uint64_t spa) override;
  void store64(std::uint64_t spa, std::uint64_t value) override;
  bool compare_exchange64(std::uint64_t spa, std::uint64_t& expected, std::uint64_t desired) override;
  void barrier() override {}

 private:
  void access(bool is_write, std::uint64_t spa, void* data, std::size_t bytes);

  Os& os_;
  std::uint64_t cost_ns_;
};

}  // namespace iommusim::hal
