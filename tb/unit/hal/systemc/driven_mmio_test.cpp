// SPDX-License-Identifier: Apache-2.0
// DrivenMmio and DrivenMemory: accesses of host threads, each with its time; a target that answers at once, one that
// answers later, and one that refuses.
#include "hal_systemc/driven_mmio.h"

#include <tlm_utils/simple_target_socket.h>

#include <cstring>

#include "hal/contradiction.h"
#include "hal_systemc/driven_memory.h"
#include "unit/tlm/sc_test.h"

namespace iommusim::hal {
namespace {

/// 64 bytes of registers that take 40 ns: by nb_transport answered within the call, or by an event after it.
struct Registers : sc_core::sc_module, tlm::tlm_fw_transport_if<> {
  Registers(const sc_core::sc_module_name& name, bool is_late) : sc_module(name), late(is_late) {
    SC_HAS_PROCESS(Registers);
    SC_METHOD(answer);
    sensitive << due;
    dont_initialize();
    socket.bind(*this);
  }
  void perform(tlm::tlm_generic_payload& payload) {
    const std::uint64_t at = payload.get_address();
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
    if (at + payload.get_data_length() > sizeof bytes)
      payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    else if (payload.is_read())
      std::memcpy(payload.get_data_ptr(), bytes + at, payload.get_data_length());
    else
      std::memcpy(bytes + at, payload.get_data_ptr(), payload.get_data_length());
  }
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) override {
    if (phase == tlm::END_RESP) return tlm::TLM_COMPLETED;
    if (late) {
      held = &payload;
      due.notify(40, sc_core::SC_NS);
      return tlm::TLM_ACCEPTED;
    }
    perform(payload);
    delay += sc_core::sc_time(40, sc_core::SC_NS);
    return tlm::TLM_COMPLETED;
  }
  void answer() {
    perform(*held);
    tlm::tlm_phase phase = tlm::BEGIN_RESP;
    sc_core::sc_time delay;
    socket->nb_transport_bw(*held, phase, delay);
  }
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) override { perform(payload); }
  unsigned transport_dbg(tlm::tlm_generic_payload& payload) override {
    perform(payload);
    return payload.is_response_ok() ? payload.get_data_length() : 0;
  }
  bool get_direct_mem_ptr(tlm::tlm_generic_payload&, tlm::tlm_dmi&) override { return false; }

  tlm::tlm_target_socket<> socket{"socket"};
  const bool late;
  tlm::tlm_generic_payload* held = nullptr;
  sc_core::sc_event due;
  unsigned char bytes[64] = {};
};

void accesses_take_their_time(bool late) {
  SimDriver driver;
  Registers target("target", late);
  DrivenMmio mmio("mmio", TlmMmioParams{0, 100, 10}, driver);
  mmio.socket.bind(target.socket);
  mmio.write64(8, 0x1122334455667788);
  EXPECT_EQ(driver.now_ps(), 50'000U);
  EXPECT_EQ(mmio.read32(12), 0x11223344U);
  EXPECT_EQ(driver.now_ps(), 190'000U);
  std::uint16_t half = 0;
  EXPECT_TRUE(mmio.try_access(false, 8, &half, 2));
  EXPECT_EQ(half, 0x7788);
  EXPECT_FALSE(mmio.try_access(false, 64, &half, 2));
  EXPECT_THROW((void)mmio.read64(64), Contradiction);
}

SC_TEST(DrivenMmio, ATargetThatAnswersWithinTheCall) { accesses_take_their_time(false); }
SC_TEST(DrivenMmio, ATargetThatAnswersLater) { accesses_take_their_time(true); }

SC_TEST(DrivenMemory, AnAccessIsAtOnceAndItsTimeIsOwed) {
  SimDriver driver;
  Registers target("target", false);
  DrivenMemory memory("memory", TlmMemoryParams{30}, driver);
  memory.socket().bind(target.socket);
  driver.spend_ps(1000);
  memory.store64(8, 42);
  EXPECT_EQ(memory.load64(8), 42U);
  std::uint64_t expected = 41;
  EXPECT_FALSE(memory.compare_exchange64(8, expected, 50));
  EXPECT_EQ(expected, 42U);
  EXPECT_TRUE(memory.compare_exchange64(8, expected, 50));
  EXPECT_EQ(memory.load64(8), 50U);
  EXPECT_EQ(driver.now_ps(), 1000U);
  driver.spend_ps(1000);
  EXPECT_EQ(driver.now_ps(), 2000U + 5 * 30'000);
}

}  // namespace
}  // namespace iommusim::hal
