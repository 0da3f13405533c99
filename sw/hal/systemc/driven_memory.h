// SPDX-License-Identifier: Apache-2.0
// System memory for threads of the host (SimDriver): as TlmMemory, with the simulation standing still during an access.
// What the access costs is owed, and passes with the next time that is spent: page tables are written in bulk.
#pragma once

#include "hal_systemc/sim_driver.h"
#include "hal_systemc/tlm_memory.h"

namespace iommusim::hal {

class DrivenMemory final : public Memory {
 public:
  DrivenMemory(const char* name, const TlmMemoryParams& params, SimDriver& driver)
      : line_ps_(params.line_ns * 1000), driver_(driver), memory_(name, {}) {}

  /// To be bound to a port of memory.
  tlm_utils::simple_initiator_socket<TlmMemory>& socket() { return memory_.socket; }

  void read(std::uint64_t spa, void* out, std::size_t bytes) override {
    const SimDriver::Turn turn(driver_);
    memory_.read(spa, out, bytes);
    charge(spa, bytes);
  }
  void write(std::uint64_t spa, const void* in, std::size_t bytes) override {
    const SimDriver::Turn turn(driver_);
    memory_.write(spa, in, bytes);
    charge(spa, bytes);
  }
  std::uint64_t load64(std::uint64_t spa) override {
    std::uint64_t value = 0;
    read(spa, &value, sizeof value);
    return value;
  }
  void store64(std::uint64_t spa, std::uint64_t value) override { write(spa, &value, sizeof value); }
  bool compare_exchange64(std::uint64_t spa, std::uint64_t& expected, std::uint64_t desired) override {
    const SimDriver::Turn turn(driver_);
    charge(spa, sizeof desired);
    return memory_.compare_exchange64(spa, expected, desired);
  }
  /// Accesses are done when they return, in the order of the lock.
  void barrier() override {}

 private:
  void charge(std::uint64_t spa, std::size_t bytes) {
    if (line_ps_ != 0 && bytes != 0) driver_.owe_ps(((spa + bytes - 1) / 64 - spa / 64 + 1) * line_ps_);
  }

  const std::uint64_t line_ps_;
  SimDriver& driver_;
  TlmMemory memory_;
};

}  // namespace iommusim::hal
