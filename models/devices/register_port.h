// SPDX-License-Identifier: Apache-2.0
// The register window of a device: each access is one b_transport of 4 or 8 bytes, naturally aligned. A read takes the
// register's latency; a write is posted: the processor goes on at once, its effect is the device's to delay.
#pragma once

#include <cstring>

#include "base/error.h"
#include "tlm/systemc.h"

namespace iommusim::devices {

class RegisterClient {
 public:
  virtual ~RegisterClient() = default;
  /// In the process of who accesses. What is not there reads 0 and ignores writes.
  virtual std::uint64_t read_register(std::uint32_t offset, unsigned bytes) = 0;
  virtual void write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value) = 0;
};

class RegisterPort final : ::tlm::tlm_fw_transport_if<> {
 public:
  RegisterPort(const char* name, std::uint64_t read_ns, RegisterClient& client)
      : socket(name), read_ps_(read_ns * 1000), client_(client) {
    socket.bind(*this);
  }

  bus::TargetSocket socket;

 private:
  ::tlm::tlm_sync_enum nb_transport_fw(bus::Payload& payload, ::tlm::tlm_phase&, sc_core::sc_time& delay) override {
    b_transport(payload, delay);
    return ::tlm::TLM_COMPLETED;
  }
  void b_transport(bus::Payload& payload, sc_core::sc_time& delay) override {
    const unsigned bytes = payload.get_data_length();
    if ((bytes != 4 && bytes != 8) || payload.get_address() % bytes != 0) {
      payload.set_response_status(::tlm::TLM_BURST_ERROR_RESPONSE);
      return;
    }
    std::uint64_t value = 0;
    const auto offset = static_cast<std::uint32_t>(payload.get_address());
    if (payload.is_write()) {
      std::memcpy(&value, payload.get_data_ptr(), bytes);
      client_.write_register(offset, bytes, value);
    } else {
      value = client_.read_register(offset, bytes);
      std::memcpy(payload.get_data_ptr(), &value, bytes);
      delay += bus::to_sc_time(read_ps_);
    }
    payload.set_response_status(::tlm::TLM_OK_RESPONSE);
  }
  unsigned transport_dbg(bus::Payload&) override { return 0; }
  bool get_direct_mem_ptr(bus::Payload&, ::tlm::tlm_dmi&) override { return false; }

  bus::Picoseconds read_ps_;
  RegisterClient& client_;
};

/// Who hears a device's interrupts. Called from a process of the device.
class InterruptSink {
 public:
  virtual ~InterruptSink() = default;
  virtual void raise(unsigned vector) = 0;
};

}  // namespace iommusim::devices
