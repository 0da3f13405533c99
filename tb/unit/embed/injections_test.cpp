// SPDX-License-Identifier: Apache-2.0
// Injections through the C interface, in both modes: added, struck, counted, logged, removed; and what is refused.
#include <gtest/gtest.h>

#include "embedded.h"

namespace iommusim::embed::test {
namespace {

class Injections : public testing::TestWithParam<const char*> {
 protected:
  static std::string mode(const std::string& more = "") {
    return std::string("{mode: ") + GetParam() + ", implementation: {ats: true}" + more + "}";
  }
};
INSTANTIATE_TEST_SUITE_P(Modes, Injections, testing::Values("functional", "cycle"),
                         [](const auto& info) { return std::string(info.param); });

std::string log_of(Embedded& embedded) {
  char* const text = iommusim_injection_log(embedded.iommu);
  std::string log = text;
  iommusim_free(text);
  return log;
}

std::uint64_t strikes_of(Embedded& embedded, const char* name) {
  std::uint64_t strikes = ~0ULL;
  EXPECT_EQ(iommusim_injection_strikes(embedded.iommu, name, &strikes), IOMMUSIM_OK);
  return strikes;
}

TEST_P(Injections, AnAccessFaultStrikesAndIsCounted) {
  Embedded embedded(mode().c_str());
  AddressSpace space = embedded.space();
  for (std::uint64_t page = 1; page < 5; ++page) space.map(page << 12, 0x90000000 + (page << 12));
  embedded.attach(5, space);
  ASSERT_EQ(iommusim_inject(embedded.iommu, "walk", "{kind: access_fault, target: first_stage, skip: 1, count: 1}"),
            IOMMUSIM_OK);
  EXPECT_EQ(embedded.run(Embedded::request(5, 0x1000)).cause, 5U);
  EXPECT_EQ(embedded.get(spec::kFqtOffset), 1U);
  EXPECT_EQ(embedded.run(Embedded::request(5, 0x2000)).address, 0x90002000U);
  EXPECT_EQ(strikes_of(embedded, "walk"), 1U);
  const std::string log = log_of(embedded);
  EXPECT_NE(log.find(",walk,access_fault,first_stage,0x"), std::string::npos) << log;
  char* const statistics = iommusim_statistics(embedded.iommu);
  EXPECT_NE(std::string(statistics).find("\"inject\":"), std::string::npos) << statistics;
  iommusim_free(statistics);
  ASSERT_EQ(iommusim_inject(embedded.iommu, "walk", "{kind: poison, target: first_stage}"), IOMMUSIM_OK);
  EXPECT_EQ(embedded.run(Embedded::request(5, 0x3000)).cause, 274U);
  EXPECT_EQ(strikes_of(embedded, "walk"), 2U);
  EXPECT_EQ(iommusim_remove_injection(embedded.iommu, "walk"), IOMMUSIM_OK);
  EXPECT_EQ(embedded.run(Embedded::request(5, 0x3000)).address, 0x90003000U);
  EXPECT_EQ(iommusim_remove_injection(embedded.iommu, "walk"), IOMMUSIM_BAD_ARGUMENT);
}

TEST_P(Injections, TheConfigurationMayHaveThem) {
  Embedded embedded(mode(", inject: {bad: {kind: illegal_command, count: 1}}").c_str());
  embedded.command(spec::opcode::kIodir);
  EXPECT_TRUE(spec::cqcsr::kCmdIll.is_set(embedded.get(spec::kCqcsrOffset)));
  EXPECT_EQ(embedded.get(spec::kCqhOffset), 0U);
  embedded.set(spec::kCqcsrOffset, embedded.get(spec::kCqcsrOffset), 4);
  EXPECT_EQ(embedded.get(spec::kCqhOffset), 1U);
  EXPECT_EQ(strikes_of(embedded, "bad"), 1U);
}

TEST_P(Injections, AFailedWriteDoesNotHappen) {
  Embedded embedded(mode(", inject: {bad: {target: fault_queue, kind: poison}}").c_str());
  embedded.run(Embedded::request(5, 0x1000));
  EXPECT_TRUE(spec::fqcsr::kFqmf.is_set(embedded.get(spec::kFqcsrOffset)));
  EXPECT_EQ(embedded.memory.load(embedded.fault_queue), 0U);
}

TEST_P(Injections, WhatCannotStrikeIsRefused) {
  Embedded embedded(mode().c_str());
  const auto error = [&](const char* name, const char* yaml) {
    EXPECT_EQ(iommusim_inject(embedded.iommu, name, yaml), IOMMUSIM_BAD_ARGUMENT);
    return std::string(iommusim_last_error(embedded.iommu));
  };
  EXPECT_EQ(error("x", "{kind: acces_fault}").substr(0, 46), "yaml:1:8: kind: unknown choice 'acces_fault'; ");
  EXPECT_EQ(error("x", "{kind: delay}").substr(0, 20), "yaml:1:1: delay_ns: ");
  EXPECT_EQ(error("x", "{kind: poison, target: dma}").substr(0, 19), "yaml:1:24: target: ");
  EXPECT_EQ(error("x", "{kind: link_retry}").substr(0, 16), "yaml:1:8: kind: ");
  EXPECT_EQ(error("a b", "{}").substr(0, 13), "name is 'a b'");
  std::uint64_t strikes = 0;
  EXPECT_EQ(iommusim_injection_strikes(embedded.iommu, "x", &strikes), IOMMUSIM_BAD_ARGUMENT);
  EXPECT_EQ(log_of(embedded), "time_ps,name,kind,at,address,device\n");
}

TEST(FunctionalInjections, HaveNoTime) {
  Embedded embedded;
  for (const char* const yaml : {"{kind: delay, delay_ns: 5}", "{kind: queue_stall, delay_ns: 5}", "{kind: ats_drop}",
                                 "{kind: access_fault, delay_ns: 5}"})
    EXPECT_EQ(iommusim_inject(embedded.iommu, "x", yaml), IOMMUSIM_BAD_ARGUMENT) << yaml;
}

TEST(CycleInjections, AnAtsTimeOutSetsCmdTo) {
  Embedded embedded("{mode: cycle, implementation: {ats: true}}");
  ASSERT_EQ(iommusim_inject(embedded.iommu, "lost", "{kind: ats_time_out, device: 5, delay_ns: 2 us}"), IOMMUSIM_OK);
  embedded.command(spec::opcode::kAts | spec::ats_w0::kRid.of(5), 0x1000);
  embedded.command(spec::opcode::kIofence);
  EXPECT_TRUE(spec::cqcsr::kCmdTo.is_set(embedded.get(spec::kCqcsrOffset)));
  EXPECT_EQ(embedded.get(spec::kCqhOffset), 1U);
  EXPECT_EQ(strikes_of(embedded, "lost"), 1U);
}

TEST(CycleInjections, ALostCompletionIsAsIfTheDeviceHadSentNone) {
  Embedded embedded("{mode: cycle, implementation: {ats: true}, inject: {lost: {kind: ats_drop, count: 1}}}");
  embedded.command(spec::opcode::kAts | spec::ats_w0::kRid.of(5), 0x1000);
  embedded.command(spec::opcode::kIofence);
  EXPECT_EQ(iommusim_send_invalidation_completion(embedded.iommu, 5, 0, 1, 1), IOMMUSIM_OK);
  EXPECT_EQ(iommusim_run_until_idle(embedded.iommu), IOMMUSIM_NOT_IDLE);
  EXPECT_EQ(iommusim_send_invalidation_completion(embedded.iommu, 5, 0, 1, 1), IOMMUSIM_OK);
  EXPECT_EQ(iommusim_run_until_idle(embedded.iommu), IOMMUSIM_OK);
  EXPECT_EQ(embedded.get(spec::kCqhOffset), 2U);
}

}  // namespace
}  // namespace iommusim::embed::test
