// SPDX-License-Identifier: Apache-2.0
#include "tlm/timed_module.h"

#include "base/error.h"
#include "unit/tlm/sc_test.h"

namespace iommusim::bus {
namespace {

struct Sleeper : TimedModule {
  explicit Sleeper(const sc_core::sc_module_name& name) : TimedModule(name) {}
  Picoseconds work(Picoseconds now) override {
    woken.push_back(now);
    if (now == 700) throw base::InputError("file:7: out of luck");
    return next > now ? next : kNever;
  }
  Picoseconds next = 0;
  std::vector<Picoseconds> woken;
};

SC_TEST(TimedModule, WakesAtTheEarliestOfAllCalls) {
  Sleeper sleeper("sleeper");
  sleeper.next = 300;
  sleeper.wake_at(200);
  sleeper.wake_at(100);
  sleeper.wake_at(150);
  sc_test::run_to(10'000);
  EXPECT_EQ(sleeper.woken, (std::vector<Picoseconds>{100, 300}));
  sleeper.wake_at(5);  // the past is now
  sc_test::run_to(10'000);
  EXPECT_EQ(sleeper.woken.back(), 10'000U);
}

SC_TEST(TimedModule, ExceptionKeepsItsTypeAndStopsAll) {
  Sleeper fails("fails");
  Sleeper other("other");
  fails.wake_at(700);
  other.wake_at(800);
  EXPECT_THROW(sc_test::run_to(10'000), base::InputError);
  EXPECT_TRUE(other.woken.empty());
  EXPECT_TRUE(has_failed());
  rethrow_failure();  // only once
}

SC_TEST(TimedModule, RefusesAnotherTimeResolution) {
  sc_core::sc_set_time_resolution(1, sc_core::SC_NS);
  EXPECT_THROW(Sleeper("sleeper"), base::InputError);
}

}  // namespace
}  // namespace iommusim::bus
