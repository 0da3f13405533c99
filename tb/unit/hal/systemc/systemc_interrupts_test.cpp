// SPDX-License-Identifier: Apache-2.0
// SystemcInterrupts: the latency is exact, a raise during the handler is not lost, disconnecting waits.
#include "hal_systemc/systemc_interrupts.h"

#include "hal_systemc/systemc_os.h"
#include "unit/tlm/sc_test.h"

namespace iommusim::hal {
namespace {

/// Raises a vector from an SC_METHOD at a given time.
struct Raiser : sc_core::sc_module {
  Raiser(const sc_core::sc_module_name& name, SystemcInterrupts& target, std::uint64_t at_ns)
      : sc_module(name), interrupts(target) {
    SC_HAS_PROCESS(Raiser);
    SC_METHOD(fire);
    dont_initialize();
    sensitive << event;
    event.notify(sc_core::sc_time(static_cast<double>(at_ns), sc_core::SC_NS));
  }
  void fire() { interrupts.raise(1); }
  SystemcInterrupts& interrupts;
  sc_core::sc_event event;
};

SC_TEST(SystemcInterrupts, TheHandlerRunsAfterTheLatency) {
  SystemcOs os;
  SystemcInterrupts interrupts(os, 2, 300);
  Raiser raiser("raiser", interrupts, 1000);
  std::vector<std::uint64_t> at;
  interrupts.set_handler(1, [&] { at.push_back(os.now_ns()); });
  sc_test::run_out();
  EXPECT_EQ(at, (std::vector<std::uint64_t>{1300}));
}

SC_TEST(SystemcInterrupts, ARaiseDuringTheHandlerRunsItOnceMore) {
  SystemcOs os;
  SystemcInterrupts interrupts(os, 2, 0);
  Raiser first("first", interrupts, 10);
  Raiser second("second", interrupts, 50);
  Raiser third("third", interrupts, 60);
  std::vector<std::uint64_t> at;
  interrupts.set_handler(1, [&] {
    at.push_back(os.now_ns());
    os.sleep_ns(100);
  });
  sc_test::run_out();
  EXPECT_EQ(at, (std::vector<std::uint64_t>{10, 110}));
}

SC_TEST(SystemcInterrupts, AWireThatStaysHighFiresAgainAfterEachRun) {
  SystemcOs os;
  SystemcInterrupts interrupts(os, 1, 10);
  std::vector<std::uint64_t> at;
  interrupts.set_handler(0, [&] {
    at.push_back(os.now_ns());
    os.sleep_ns(100);
    if (at.size() == 3) interrupts.set_level(0, false);
  });
  interrupts.set_level(0, true);
  sc_test::run_out();
  EXPECT_EQ(at, (std::vector<std::uint64_t>{10, 120, 230}));
}

SC_TEST(SystemcInterrupts, DisconnectWaitsForTheRunningHandler) {
  SystemcOs os;
  SystemcInterrupts interrupts(os, 2, 0);
  Raiser raiser("raiser", interrupts, 10);
  interrupts.set_handler(1, [&] { os.sleep_ns(100); });
  std::uint64_t disconnected = 0;
  os.start_thread("owner", [&] {
    os.sleep_ns(50);
    interrupts.set_handler(1, {});
    disconnected = os.now_ns();
  });
  sc_test::run_out();
  EXPECT_EQ(disconnected, 110U);
}

SC_TEST(SystemcInterrupts, ARaiseWithoutAHandlerWaitsForOne) {
  SystemcOs os;
  SystemcInterrupts interrupts(os, 2, 0);
  Raiser raiser("raiser", interrupts, 10);
  std::uint64_t at = 0;
  os.start_thread("owner", [&] {
    os.sleep_ns(50);
    interrupts.set_handler(1, [&] { at = os.now_ns(); });
  });
  sc_test::run_out();
  EXPECT_EQ(at, 50U);
}

SC_TEST(SystemcInterrupts, MessagesFindTheirVector) {
  SystemcOs os;
  SystemcInterrupts interrupts(os, 2, 0, MessageTarget{0x28000000, 40});
  unsigned runs = 0;
  interrupts.set_handler(1, [&] { ++runs; });
  os.start_thread("device", [&] {
    EXPECT_FALSE(interrupts.deliver(0x28000000, 42));
    EXPECT_FALSE(interrupts.deliver(0x28000004, 41));
    EXPECT_TRUE(interrupts.deliver(0x28000000, 41));
  });
  sc_test::run_out();
  EXPECT_EQ(runs, 1U);
}

}  // namespace
}  // namespace iommusim::hal
