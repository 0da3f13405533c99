// SPDX-License-Identifier: Apache-2.0
// Which events an injection strikes, how that is counted and logged, and which entries are refused.
#include "timing/injector.h"

#include <gtest/gtest.h>

namespace iommusim::timing::test {
namespace {

Injector::MemoryEvent read_of(translate::Structure structure, std::uint64_t address = 0x1000) {
  return {target_of(structure), address, 8, false, {}};
}

struct InjectorTest : testing::Test {
  stats::Group root{"test"};
  Injector injector{1, root};
  InjectionParams params;

  /// Which of the first `events` events of the kind are struck.
  std::string strikes(unsigned events, const Injector::MemoryEvent& event = read_of(translate::Structure::kDdt)) {
    injector.add("x", params);
    std::string text;
    for (unsigned i = 0; i < events; ++i)
      text += injector.memory(event, i).status == translate::MemoryStatus::kOk ? '.' : 'x';
    return text;
  }
};

TEST_F(InjectorTest, SkipEveryAndCount) {
  EXPECT_EQ(strikes(4), "xxxx");
  params.skip = 2;
  EXPECT_EQ(strikes(5), "..xxx");
  params.every = 3;
  EXPECT_EQ(strikes(10), "..x..x..x.");
  params.count = 2;
  EXPECT_EQ(strikes(10), "..x..x....");
  EXPECT_EQ(*injector.strikes("x"), 4U + 3U + 3U + 2U) << "adding anew arms anew; the statistics go on";
}

TEST_F(InjectorTest, ProbabilityIsThatOfTheSeed) {
  params.probability = 0;
  EXPECT_EQ(strikes(50).find('x'), std::string::npos);
  params.probability = 0.25;
  const std::string first = strikes(4000);
  EXPECT_EQ(strikes(4000), first) << "the same seed, the same strikes";
  EXPECT_NEAR(static_cast<double>(std::count(first.begin(), first.end(), 'x')), 1000, 120);
  stats::Group other_root("other");
  Injector other(2, other_root);
  other.add("x", params);
  std::string text;
  for (unsigned i = 0; i < 4000; ++i)
    text += other.memory(read_of(translate::Structure::kDdt), i).status == translate::MemoryStatus::kOk ? '.' : 'x';
  EXPECT_NE(text, first);
}

TEST_F(InjectorTest, TargetAccessAddressAndDevice) {
  params.target = target_of(translate::Structure::kPdt);
  EXPECT_EQ(strikes(1), ".");
  EXPECT_EQ(strikes(1, read_of(translate::Structure::kPdt)), "x");
  params.target = AccessTarget::kOwn;
  Injector::MemoryEvent dma{AccessTarget::kDma, 0x1000, 64, true, base::DeviceId(7)};
  EXPECT_EQ(strikes(1), "x");
  EXPECT_EQ(strikes(1, dma), ".");
  params.target = AccessTarget::kDma;
  params.device = 7;
  EXPECT_EQ(strikes(1, dma), "x");
  params.device = 8;
  EXPECT_EQ(strikes(1, dma), ".");
  params.device = -1;
  params.access = InjectionAccess::kRead;
  EXPECT_EQ(strikes(1, dma), ".");
  params.access = InjectionAccess::kWrite;
  EXPECT_EQ(strikes(1, dma), "x");
  params.address = 0x1040;
  params.bytes = 16;
  EXPECT_EQ(strikes(1, dma), ".") << "ends where the range begins";
  dma.address = 0x1001;
  EXPECT_EQ(strikes(1, dma), "x");
  dma.address = 0x104f;
  EXPECT_EQ(strikes(1, dma), "x");
  dma.address = 0x1050;
  EXPECT_EQ(strikes(1, dma), ".");
  params.address = ~0ULL - 7;
  params.bytes = ~0ULL;
  EXPECT_EQ(strikes(1, dma), ".") << "a range beyond the end of all addresses";
}

TEST_F(InjectorTest, WhatStrikesTogetherAddsUp) {
  params.kind = InjectionKind::kPoison;
  params.delay_ns = 3;
  injector.add("poison", params);
  params.kind = InjectionKind::kAccessFault;
  params.delay_ns = 0;
  injector.add("fault", params);
  params.kind = InjectionKind::kDelay;
  params.delay_ns = 4;
  injector.add("delay", params);
  const Injector::MemoryStrike strike = injector.memory(read_of(translate::Structure::kMrif), 0);
  EXPECT_EQ(strike.status, translate::MemoryStatus::kAccessFault);
  EXPECT_EQ(strike.delay_ns, 7U);
}

TEST_F(InjectorTest, RemovedEntriesStrikeNoMoreAndKeepTheirCount) {
  EXPECT_EQ(strikes(1), "x");
  EXPECT_TRUE(injector.remove("x"));
  EXPECT_FALSE(injector.remove("x"));
  EXPECT_FALSE(injector.remove("y"));
  EXPECT_EQ(injector.memory(read_of(translate::Structure::kDdt), 1).status, translate::MemoryStatus::kOk);
  EXPECT_EQ(*injector.strikes("x"), 1U);
  EXPECT_FALSE(injector.strikes("y").has_value());
}

TEST_F(InjectorTest, EveryStrikeHasItsLine) {
  EXPECT_EQ(injector.log(), "time_ps,name,kind,at,address,device\n");
  params.count = 1;
  EXPECT_EQ(strikes(3, read_of(translate::Structure::kSecondStage, 0xabc000)), "x..");
  params.kind = InjectionKind::kQueueStall;
  params.delay_ns = 5;
  params.queue = InjectionQueue::kFault;
  injector.add("stall", params);
  EXPECT_EQ(injector.stall(InjectionQueue::kCommand, 8), 0U);
  EXPECT_EQ(injector.stall(InjectionQueue::kFault, 9), 5U);
  params.kind = InjectionKind::kAtsTimeOut;
  params.device = 24;
  injector.add("lost", params);
  EXPECT_FALSE(injector.time_out(base::DeviceId(25), 10).has_value());
  EXPECT_EQ(*injector.time_out(base::DeviceId(24), 11), 5U);
  params.kind = InjectionKind::kLinkRetry;
  params.port = "nic0";
  injector.add("retry", params);
  const std::string nic = "nic0", other = "nic1";
  EXPECT_FALSE(injector.retry(other, true, 12).has_value());
  EXPECT_EQ(*injector.retry(nic, true, 13), 5U);
  EXPECT_EQ(injector.log(),
            "time_ps,name,kind,at,address,device\n"
            "0,x,access_fault,second_stage,0xabc000,\n"
            "9,stall,queue_stall,fault,,\n"
            "11,lost,ats_time_out,invalidation,,24\n"
            "13,retry,link_retry,nic0,,\n");
}

TEST_F(InjectorTest, TheLogIsBounded) {
  injector.add("x", params);
  for (unsigned i = 0; i < Injector::kLogged + 3; ++i) injector.memory(read_of(translate::Structure::kDdt), i);
  const std::string log = injector.log();
  EXPECT_EQ(static_cast<std::size_t>(std::count(log.begin(), log.end(), '\n')), Injector::kLogged + 2);
  EXPECT_EQ(log.substr(log.size() - 9), "# 3 more\n");
}

TEST(Injection, ObjectionsNameTheField) {
  const InjectionScope everything;
  const auto field = [&](auto&& change, const InjectionScope& scope = {}) {
    InjectionParams params;
    change(params);
    const InjectionObjection objection = object_to(params, scope);
    EXPECT_EQ(objection.field.empty(), objection.text.empty());
    EXPECT_TRUE(objection.text.empty() || objection.text.find("expected") != std::string::npos) << objection.text;
    return objection.field;
  };
  using P = InjectionParams;
  using K = InjectionKind;
  EXPECT_EQ(field([](P&) {}), "");
  EXPECT_EQ(field([](P& p) { p.kind = K::kDelay; }), "delay_ns");
  EXPECT_EQ(field([](P& p) { p.kind = K::kQueueStall; }), "delay_ns");
  EXPECT_EQ(field([](P& p) { p.kind = K::kAtsLate; }), "delay_ns");
  EXPECT_EQ(field([](P& p) { p.kind = K::kAtsDrop, p.delay_ns = 1; }), "delay_ns");
  EXPECT_EQ(field([](P& p) { p.address = 5; }), "bytes");
  EXPECT_EQ(field([](P& p) { p.device = 5; }), "device");
  EXPECT_EQ(field([](P& p) { p.device = 5, p.target = AccessTarget::kDma; }), "");
  EXPECT_EQ(field([](P& p) { p.queue = InjectionQueue::kFault; }), "queue");
  EXPECT_EQ(field([](P& p) { p.port = "a"; }), "port");
  EXPECT_EQ(field([](P& p) { p.kind = K::kLinkRetry, p.port = "a"; }), "");
  EXPECT_EQ(field([](P& p) { p.kind = K::kAtsDrop, p.target = AccessTarget::kDma; }), "target");
  EXPECT_EQ(field([](P& p) { p.kind = K::kAtsDrop, p.bytes = 1; }), "bytes");
  EXPECT_EQ(field([](P& p) { p.kind = K::kAtsDrop, p.access = InjectionAccess::kRead; }), "access");
  EXPECT_EQ(field([](P& p) { p.kind = K::kIllegalCommand, p.target = AccessTarget::kDma; }), "target");
  EXPECT_EQ(field([](P& p) { p.target = AccessTarget::kDma; }, {true, true, false, true}), "target");
  EXPECT_EQ(field([](P& p) { p.kind = K::kLinkRetry; }, {true, true, true, false}), "kind");
  EXPECT_EQ(field([](P& p) { p.kind = K::kAtsDrop; }, {true, false, true, true}), "kind");
  EXPECT_EQ(field([](P& p) { p.delay_ns = 1; }, {false, false, false, false}), "delay_ns");
}

}  // namespace
}  // namespace iommusim::timing::test
