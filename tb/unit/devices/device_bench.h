// SPDX-License-Identifier: Apache-2.0
// A device with registers on plain memory: what a driver would do is done by hand, without time of a processor.
#pragma once

#include <vector>

#include "devices/register_port.h"
#include "tlm/memory.h"
#include "unit/tlm/sc_test.h"

namespace iommusim::devices::device_bench {

/// Accesses to a device's registers.
class Registers final : public sc_core::sc_module, ::tlm::tlm_bw_transport_if<> {
 public:
  explicit Registers(const sc_core::sc_module_name& name) : sc_module(name), socket("socket") { socket.bind(*this); }
  bus::InitiatorSocket socket;

  void write(std::uint32_t offset, std::uint64_t value, unsigned bytes = 4) { access(offset, value, bytes, true); }
  std::uint64_t read(std::uint32_t offset, unsigned bytes = 4) {
    std::uint64_t value = 0;
    access(offset, value, bytes, false);
    return value;
  }
  bus::Picoseconds took = 0;  ///< the last access
  bool ok = true;

 private:
  void access(std::uint32_t offset, std::uint64_t& value, unsigned bytes, bool write) {
    bus::Payload payload;
    payload.set_command(write ? ::tlm::TLM_WRITE_COMMAND : ::tlm::TLM_READ_COMMAND);
    payload.set_address(offset);
    payload.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
    payload.set_data_length(bytes);
    payload.set_streaming_width(bytes);
    payload.set_response_status(::tlm::TLM_INCOMPLETE_RESPONSE);
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    socket->b_transport(payload, delay);
    took = delay.value();
    ok = payload.is_response_ok();
  }
  ::tlm::tlm_sync_enum nb_transport_bw(bus::Payload&, ::tlm::tlm_phase&, sc_core::sc_time&) override {
    return ::tlm::TLM_ACCEPTED;
  }
  void invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) override {}
};

struct Interrupts final : InterruptSink {
  std::vector<std::pair<unsigned, bus::Picoseconds>> raised;
  void raise(unsigned vector) override { raised.push_back({vector, bus::now_ps()}); }
};

inline bus::MemoryParams fast_memory() {
  bus::MemoryParams params;
  params.physical_bits = 28;
  params.latency_ns = 10;
  return params;
}

template <class Device, class Params>
struct Bench {
  explicit Bench(const Params& params) : device("device", params, stats) {
    device.socket().bind(memory.port(0));
    registers.socket.bind(device.registers());
    device.connect(&interrupts);
  }
  ~Bench() {
    stats.advance(bus::now_ps());
    stats::check_identities(stats);
  }
  template <class Word>
  void put(std::uint64_t address, const Word& word) {
    memory.store().write(address, reinterpret_cast<const std::uint8_t*>(&word), sizeof word);
  }
  template <class Word>
  Word get(std::uint64_t address) {
    Word word{};
    memory.store().read(address, reinterpret_cast<std::uint8_t*>(&word), sizeof word);
    return word;
  }
  /// `ps` after the point that mark() noted.
  void mark() { marked_ = bus::now_ps(); }
  void run_to(bus::Picoseconds ps) { sc_test::run_to(marked_ + ps); }

  stats::Group stats{"test"};
  bus::Memory memory{"memory", fast_memory(), {"dma"}, stats};
  Device device;
  Registers registers{"registers_access"};
  Interrupts interrupts;

 private:
  bus::Picoseconds marked_ = 0;
};

}  // namespace iommusim::devices::device_bench
