// SPDX-License-Identifier: Apache-2.0
// Registers behind a TLM-2.0 socket: each access is one b_transport of 4 or 8 bytes at `base + offset`, and takes the
// time that the target annotates plus what the processor spends. A target that answers with an error stops the run: the
// driver accesses only registers that exist.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <systemc>

#include "hal/hardware.h"

namespace iommusim::hal {

struct TlmMmioParams {
  std::uint64_t base = 0;          ///< address of offset 0 on the bus
  std::uint64_t cpu_read_ns = 0;   ///< processor time of a read, besides the bus
  std::uint64_t cpu_write_ns = 0;  ///< of a write
};

class TlmMmio final : public sc_core::sc_module, public Mmio {
 public:
  TlmMmio(const sc_core::sc_module_name& name, const TlmMmioParams& params);

  std::uint32_t read32(std::uint32_t offset) override;
  std::uint64_t read64(std::uint32_t offset) override;
  void write32(std::uint32_t offset, std::uint32_t value) override;
  void write64(std::uint32_t offset, std::uint64_t value) override;

  tlm_utils::simple_initiator_socket<TlmMmio> socket;

 private:
  void access(tlm::tlm_command command, std::uint32_t offset, unsigned char* data, unsigned bytes);

  const TlmMmioParams params_;
};

}  // namespace iommusim::hal
