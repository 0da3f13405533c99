// SPDX-License-Identifier: Apache-2.0
// Registers behind a TLM-2.0 socket for threads of the host (SimDriver): an access is one transaction of 4 or 8 bytes
// at `base + offset`, begun and driven to its end by the calling thread, which has the simulation for itself meanwhile.
// It takes what the target takes, and what the processor spends.
#pragma once

#include <systemc>
#include <tlm>

#include "hal/hardware.h"
#include "hal_systemc/sim_driver.h"
#include "hal_systemc/tlm_mmio.h"

namespace iommusim::hal {

class DrivenMmio final : public sc_core::sc_module, public Mmio, tlm::tlm_bw_transport_if<>, tlm::tlm_mm_interface {
 public:
  DrivenMmio(const sc_core::sc_module_name& name, const TlmMmioParams& params, SimDriver& driver);

  std::uint32_t read32(std::uint32_t offset) override;
  std::uint64_t read64(std::uint32_t offset) override;
  void write32(std::uint32_t offset, std::uint32_t value) override;
  void write64(std::uint32_t offset, std::uint64_t value) override;

  /// For addresses that a program chose: 1, 2, 4 or 8 bytes, naturally aligned. False: the target refuses, or the
  /// simulation ended.
  bool try_access(bool write, std::uint64_t offset, void* data, unsigned bytes);

  tlm::tlm_initiator_socket<> socket;

 private:
  void access(bool write, std::uint32_t offset, void* data, unsigned bytes);
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) override;
  void invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) override {}
  void free(tlm::tlm_generic_payload*) override {}  // it is ours, and used again

  const TlmMmioParams params_;
  SimDriver& driver_;
  tlm::tlm_generic_payload payload_;
  // Under the kernel's lock.
  bool answered_ = false;
  sc_core::sc_time answer_delay_;
};

}  // namespace iommusim::hal
