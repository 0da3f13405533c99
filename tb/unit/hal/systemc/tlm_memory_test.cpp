// SPDX-License-Identifier: Apache-2.0
// TlmMemory: contents, the charge by cache line, an atomic compare-and-swap, an address that is not memory.
#include "hal_systemc/tlm_memory.h"

#include <tlm_utils/simple_target_socket.h>

#include "hal/contradiction.h"
#include "hal/sparse_memory.h"
#include "hal_systemc/systemc_os.h"
#include "unit/tlm/sc_test.h"

namespace iommusim::hal {
namespace {

/// Memory below 1 MiB, by debug transport only.
struct DebugTarget : sc_core::sc_module {
  explicit DebugTarget(const sc_core::sc_module_name& name) : sc_module(name) {
    socket.register_transport_dbg(this, &DebugTarget::transport);
  }
  unsigned transport(tlm::tlm_generic_payload& payload) {
    const std::uint64_t at = payload.get_address();
    const unsigned bytes = payload.get_data_length();
    if (at + bytes > 1 << 20) return 0;
    if (payload.is_read())
      memory.read(at, payload.get_data_ptr(), bytes);
    else
      memory.write(at, payload.get_data_ptr(), bytes);
    return bytes;
  }
  tlm_utils::simple_target_socket<DebugTarget> socket{"socket"};
  SparseMemory memory;
};

SC_TEST(TlmMemory, ChargesEachLineTouched) {
  SystemcOs os;
  DebugTarget target("target");
  TlmMemory memory("memory", TlmMemoryParams{5});
  memory.socket.bind(target.socket);
  std::vector<std::uint64_t> at;
  os.start_thread("cpu", [&] {
    memory.store64(0x100, 42);
    at.push_back(os.now_ns());
    EXPECT_EQ(memory.load64(0x100), 42U);
    at.push_back(os.now_ns());
    unsigned char bytes[130] = {};
    memory.read(0x13F, bytes, sizeof bytes);  // the last byte of a line, two lines, the first byte of a fourth
    at.push_back(os.now_ns());
    memory.write(0x140, bytes, 64);
    at.push_back(os.now_ns());
    memory.read(0x140, bytes, 0);
    at.push_back(os.now_ns());
  });
  sc_test::run_out();
  EXPECT_EQ(at, (std::vector<std::uint64_t>{5, 10, 30, 35, 35}));
}

SC_TEST(TlmMemory, CompareExchangeIsAtomicAmongThreads) {
  SystemcOs os;
  DebugTarget target("target");
  TlmMemory memory("memory", TlmMemoryParams{5});
  memory.socket.bind(target.socket);
  for (int t = 0; t < 3; ++t)
    os.start_thread("adder", [&] {
      for (int i = 0; i < 50; ++i) {
        std::uint64_t value = memory.load64(8);
        while (!memory.compare_exchange64(8, value, value + 1)) {
        }
      }
    });
  sc_test::run_out();
  EXPECT_EQ(memory.load64(8), 150U);
}

SC_TEST(TlmMemory, AnAddressThatIsNotMemoryIsAContradiction) {
  DebugTarget target("target");
  TlmMemory memory("memory", TlmMemoryParams{});
  memory.socket.bind(target.socket);
  sc_test::run_to(1000);
  EXPECT_THROW(memory.load64(1 << 20), Contradiction);
}

}  // namespace
}  // namespace iommusim::hal
