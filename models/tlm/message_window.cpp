// SPDX-License-Identifier: Apache-2.0
#include "tlm/message_window.h"

#include <cstring>

namespace iommusim::bus {

MessageWindow::MessageWindow(const sc_core::sc_module_name& name, std::uint64_t first, std::uint64_t bytes)
    : sc_module(name), first_(first), bytes_(bytes) {
  in.bind(*this);
  out.bind(*this);
}

bool MessageWindow::takes(Payload& payload) const {
  return payload.is_write() && payload.get_data_length() == 4 && payload.get_address() - first_ < bytes_;
}

void MessageWindow::deliver(Payload& payload) {
  ++taken_;
  std::uint32_t data = 0;
  std::memcpy(&data, payload.get_data_ptr(), sizeof data);
  payload.set_response_status(::tlm::TLM_OK_RESPONSE);
  if (listener_ != nullptr) listener_->message(payload.get_address(), data);
}

::tlm::tlm_sync_enum MessageWindow::nb_transport_fw(Payload& payload, ::tlm::tlm_phase& phase,
                                                    sc_core::sc_time& delay) {
  if (!takes(payload)) return out->nb_transport_fw(payload, phase, delay);
  deliver(payload);
  return ::tlm::TLM_COMPLETED;
}

void MessageWindow::b_transport(Payload& payload, sc_core::sc_time& delay) {
  if (takes(payload))
    deliver(payload);
  else
    out->b_transport(payload, delay);
}

}  // namespace iommusim::bus
