// SPDX-License-Identifier: Apache-2.0
// Register accesses of software over a TLM-2.0 socket: b_transport, in the thread of the caller, after the processor's
// own cost. An access that the device refuses reads all ones and writes nothing, as on a real bus.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <systemc>
#include <tlm>

#include "hal/hardware.h"
#include "hal/os.h"

namespace iommusim::hal {

class TlmMmio final : public sc_core::sc_module, public Mmio {
 public:
  /// `cost_ns`: simulated time of an access, beside what the device takes.
  TlmMmio(const sc_core::sc_module_name& name, Os& os, std::uint64_t cost_ns)
      : sc_module(name), os_(os), cost_ns_(cost_ns) {}

  tlm_utils::simple_initiator_socket<TlmMmio> socket{"socket"};

  std::uint32_t read32(std::uint32_t offset) override { return static_cast<std::uint32_t>(read(offset, 4)); }
  std::uint64_t read64(std::uint32_t offset) override { return read(offset, 8); }
  void write32(std::uint32_t offset, std::uint32_t value) override { write(offset, 4, value); }
  void write64(std::uint32_t offset, std::uint64_t value) override { write(offset, 8, value); }

 private:
  std::uint64_t read(std::uint32_t offset, unsigned bytes);
  void write(std::uint32_t offset, unsigned bytes, std::uint64_t value);
  bool access(bool is_write, std::uint32_t offset, unsigned bytes, std::uint64_t& value);

  Os& os_;
  std::uint64_t cost_ns_;
};

}  // namespace iommusim::hal
