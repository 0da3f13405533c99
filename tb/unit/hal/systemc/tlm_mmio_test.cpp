// SPDX-License-Identifier: Apache-2.0
// TlmMmio: one transaction an access, its time, and the refusal of a register that is not there.
#include "hal_systemc/tlm_mmio.h"

#include <tlm_utils/simple_target_socket.h>

#include <cstring>

#include "hal/contradiction.h"
#include "hal_systemc/systemc_os.h"
#include "unit/tlm/sc_test.h"

namespace iommusim::hal {
namespace {

/// 64 bytes of registers that take 40 ns.
struct RegisterTarget : sc_core::sc_module {
  explicit RegisterTarget(const sc_core::sc_module_name& name) : sc_module(name) {
    socket.register_b_transport(this, &RegisterTarget::transport);
  }
  void transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    delay += sc_core::sc_time(40, sc_core::SC_NS);
    const std::uint64_t at = payload.get_address() - 0x1000;
    if (at + payload.get_data_length() > sizeof bytes) {
      payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
      return;
    }
    lengths.push_back(payload.get_data_length());
    if (payload.is_read())
      std::memcpy(payload.get_data_ptr(), bytes + at, payload.get_data_length());
    else
      std::memcpy(bytes + at, payload.get_data_ptr(), payload.get_data_length());
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  tlm_utils::simple_target_socket<RegisterTarget> socket{"socket"};
  unsigned char bytes[64] = {};
  std::vector<unsigned> lengths;
};

SC_TEST(TlmMmio, AnAccessIsOneTransactionAndTakesItsTime) {
  SystemcOs os;
  RegisterTarget target("target");
  TlmMmio mmio("mmio", TlmMmioParams{0x1000, 100, 10});
  mmio.socket.bind(target.socket);
  std::vector<std::uint64_t> at;
  os.start_thread("driver", [&] {
    mmio.write64(8, 0x1122334455667788);
    at.push_back(os.now_ns());
    EXPECT_EQ(mmio.read64(8), 0x1122334455667788U);
    at.push_back(os.now_ns());
    EXPECT_EQ(mmio.read32(12), 0x11223344U);
    mmio.write32(8, 7);
    at.push_back(os.now_ns());
    EXPECT_EQ(mmio.read64(8), 0x1122334400000007U);
  });
  sc_test::run_out();
  EXPECT_EQ(at, (std::vector<std::uint64_t>{50, 190, 380}));
  EXPECT_EQ(target.lengths, (std::vector<unsigned>{8, 8, 4, 4, 8}));
}

SC_TEST(TlmMmio, AnErrorResponseIsAContradiction) {
  RegisterTarget target("target");
  TlmMmio mmio("mmio", TlmMmioParams{0x1000, 0, 0});
  mmio.socket.bind(target.socket);
  sc_test::run_to(1000);
  EXPECT_THROW(mmio.read32(64), Contradiction);
}

}  // namespace
}  // namespace iommusim::hal
