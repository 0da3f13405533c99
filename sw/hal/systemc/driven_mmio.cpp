// SPDX-License-Identifier: Apache-2.0
// One register access as one non-blocking transaction, begun between two steps of the kernel.
#include "hal_systemc/driven_mmio.h"

#include <string>

#include "hal/contradiction.h"

namespace iommusim::hal {
namespace {

constexpr std::uint64_t kLimitPs = 1'000'000'000'000;  // 1 s: a target that answers later is broken

}  // namespace

DrivenMmio::DrivenMmio(const sc_core::sc_module_name& name, const TlmMmioParams& params, SimDriver& driver)
    : sc_module(name), socket("socket"), params_(params), driver_(driver), payload_(this) {
  socket.bind(*this);
}

tlm::tlm_sync_enum DrivenMmio::nb_transport_bw(tlm::tlm_generic_payload&, tlm::tlm_phase& phase,
                                               sc_core::sc_time& delay) {
  if (phase != tlm::BEGIN_RESP) return tlm::TLM_ACCEPTED;
  answered_ = true;
  answer_delay_ = delay;
  phase = tlm::END_RESP;
  driver_.stop_here();
  return tlm::TLM_COMPLETED;
}

bool DrivenMmio::try_access(bool write, std::uint64_t offset, void* data, unsigned bytes) {
  SimDriver::Turn turn(driver_);
  if (driver_.failed()) return false;
  payload_.set_command(write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
  payload_.set_address(params_.base + offset);
  payload_.set_data_ptr(static_cast<unsigned char*>(data));
  payload_.set_data_length(bytes);
  payload_.set_streaming_width(bytes);
  payload_.set_byte_enable_ptr(nullptr);
  payload_.set_dmi_allowed(false);
  payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  payload_.acquire();
  tlm::tlm_phase phase = tlm::BEGIN_REQ;
  answered_ = false;
  answer_delay_ = sc_core::SC_ZERO_TIME;
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  const tlm::tlm_sync_enum sync = socket->nb_transport_fw(payload_, phase, delay);
  if (sync == tlm::TLM_COMPLETED) {
    answered_ = true;
    answer_delay_ = delay;
  } else if (sync == tlm::TLM_UPDATED && phase == tlm::BEGIN_RESP) {
    answered_ = true;
    answer_delay_ = delay;
    phase = tlm::END_RESP;
    socket->nb_transport_fw(payload_, phase, delay);
  }
  const std::uint64_t start = sc_core::sc_time_stamp().value();
  if (!answered_ && !turn.run_until_stopped(start + kLimitPs)) {
    // The target may still hold the payload: it is not used again.
    if (!driver_.failed()) contradiction("a register access is not answered");
    return false;
  }
  const bool ok = payload_.is_response_ok();
  payload_.release();
  const std::uint64_t cpu_ns = write ? params_.cpu_write_ns : params_.cpu_read_ns;
  turn.run_to(sc_core::sc_time_stamp().value() + answer_delay_.value() + cpu_ns * 1000);
  return ok && !driver_.failed();
}

void DrivenMmio::access(bool write, std::uint32_t offset, void* data, unsigned bytes) {
  if (!try_access(write, offset, data, bytes) && !driver_.failed())
    contradiction("register access at offset " + std::to_string(offset) + ": refused");
}

std::uint32_t DrivenMmio::read32(std::uint32_t offset) {
  std::uint32_t value = 0;
  access(false, offset, &value, sizeof value);
  return value;
}

std::uint64_t DrivenMmio::read64(std::uint32_t offset) {
  std::uint64_t value = 0;
  access(false, offset, &value, sizeof value);
  return value;
}

void DrivenMmio::write32(std::uint32_t offset, std::uint32_t value) { access(true, offset, &value, sizeof value); }
void DrivenMmio::write64(std::uint32_t offset, std::uint64_t value) { access(true, offset, &value, sizeof value); }

}  // namespace iommusim::hal
