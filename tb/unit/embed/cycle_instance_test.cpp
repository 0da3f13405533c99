// SPDX-License-Identifier: Apache-2.0
// Mode cycle: requests with cookies, time, latencies as the parameters say, back-pressure.
#include <gtest/gtest.h>

#include <functional>

#include "embedded.h"

namespace iommusim::embed::test {

namespace {

constexpr const char* kCycle = "mode: cycle\nmemory: {cycles: 70}\n";

void map_one_page(Embedded& embedded) {
  AddressSpace space = embedded.space();
  space.map(0x1000, 0x90000000);
  embedded.attach(5, space);
}

}  // namespace

TEST(Cycle, AMissTakesItsMemoryAccessesAndAHitDoesNot) {
  Embedded embedded(kCycle);
  map_one_page(embedded);
  const iommusim_result miss = embedded.run(Embedded::request(5, 0x1008));
  EXPECT_EQ(miss.address, 0x90000008U);
  EXPECT_EQ(miss.cookie, 77U);
  EXPECT_GE(miss.done - miss.accepted, 4 * 70U) << "a device context and three levels";
  EXPECT_LT(miss.done - miss.accepted, 4 * 70U + 16);
  const iommusim_result hit = embedded.run(Embedded::request(5, 0x1010));
  EXPECT_LT(hit.done - hit.accepted, 8U);
}

TEST(Cycle, NothingHappensBeforeItsTime) {
  Embedded embedded(kCycle);
  map_one_page(embedded);
  const auto request = Embedded::request(5, 0x1000);
  const std::uint64_t start = iommusim_now(embedded.iommu);
  ASSERT_EQ(iommusim_submit(embedded.iommu, &request, 1), IOMMUSIM_OK);
  ASSERT_EQ(iommusim_advance(embedded.iommu, start + 4 * 70 - 1), IOMMUSIM_OK);
  EXPECT_EQ(iommusim_now(embedded.iommu), start + 4 * 70 - 1);
  EXPECT_TRUE(embedded.results.empty());
  ASSERT_EQ(iommusim_advance(embedded.iommu, start + 4 * 70 + 16), IOMMUSIM_OK);
  EXPECT_EQ(embedded.results.size(), 1U);
  EXPECT_EQ(iommusim_advance(embedded.iommu, start), IOMMUSIM_BAD_ARGUMENT);
  EXPECT_EQ(iommusim_advance(embedded.iommu, ~0ULL), IOMMUSIM_BAD_ARGUMENT);
}

TEST(Cycle, ResultsCanBePolled) {
  Embedded embedded(kCycle, offsetof(iommusim_host, finished));
  map_one_page(embedded);
  for (std::uint64_t cookie = 0; cookie < 3; ++cookie) {
    const auto request = Embedded::request(5, 0x1000 + 8 * cookie);
    ASSERT_EQ(iommusim_submit(embedded.iommu, &request, cookie), IOMMUSIM_OK);
  }
  iommusim_result result;
  EXPECT_EQ(iommusim_poll(embedded.iommu, &result), 0);
  ASSERT_EQ(iommusim_run_until_idle(embedded.iommu), IOMMUSIM_OK);
  unsigned seen = 0;
  while (iommusim_poll(embedded.iommu, &result) == 1) {
    seen |= 1U << result.cookie;
    EXPECT_EQ(result.address, 0x90000000 + 8 * result.cookie);
  }
  EXPECT_EQ(seen, 7U);
}

TEST(Cycle, AFullIommuHoldsBackUntilTimeGoesOn) {
  Embedded embedded("mode: cycle\nengine: {slots: 2}\n");
  map_one_page(embedded);
  const auto request = Embedded::request(5, 0x1000);
  EXPECT_EQ(iommusim_submit(embedded.iommu, &request, 1), IOMMUSIM_OK);
  EXPECT_EQ(iommusim_submit(embedded.iommu, &request, 2), IOMMUSIM_OK);
  EXPECT_EQ(iommusim_submit(embedded.iommu, &request, 3), IOMMUSIM_HELD_BACK);
  EXPECT_EQ(iommusim_run_until_idle(embedded.iommu), IOMMUSIM_OK);
  EXPECT_EQ(embedded.results.size(), 2U);
  EXPECT_EQ(iommusim_submit(embedded.iommu, &request, 3), IOMMUSIM_OK);
}

TEST(Cycle, AFenceWaitsForForwardedDma) {
  Embedded embedded("mode: cycle\nmemory: {cycles: 10, forward_cycles: 5000}\n");
  map_one_page(embedded);
  const auto request = Embedded::request(5, 0x1000, IOMMUSIM_WRITE);
  ASSERT_EQ(iommusim_submit(embedded.iommu, &request, 1), IOMMUSIM_OK);
  ASSERT_EQ(iommusim_advance(embedded.iommu, iommusim_now(embedded.iommu) + 200), IOMMUSIM_OK);
  ASSERT_EQ(embedded.results.size(), 1U);
  embedded.memory.store(embedded.command_queue, spec::opcode::kIofence | spec::iofence_w0::kPw.mask());
  ASSERT_EQ(iommusim_mmio_write(embedded.iommu, spec::kCqtOffset, 4, 1), IOMMUSIM_OK);
  ASSERT_EQ(iommusim_advance(embedded.iommu, embedded.results[0].done + 4999), IOMMUSIM_OK);
  EXPECT_EQ(embedded.get(spec::kCqhOffset), 0U);
  ASSERT_EQ(iommusim_run_until_idle(embedded.iommu), IOMMUSIM_OK);
  EXPECT_EQ(embedded.get(spec::kCqhOffset), 1U);
}

TEST(Cycle, InvalidationsReachTheCaches) {
  Embedded embedded(kCycle);
  AddressSpace space = embedded.space();
  space.map(0x1000, 0x90000000);
  embedded.attach(5, space);
  embedded.run(Embedded::request(5, 0x1000));
  space.map(0x1000, 0xa0000000);
  EXPECT_EQ(embedded.run(Embedded::request(5, 0x1000)).address, 0x90000000U) << "still in the IOTLB";
  embedded.command(spec::opcode::kIotinval);
  EXPECT_EQ(embedded.run(Embedded::request(5, 0x1000)).address, 0xa0000000U);
}

TEST(Cycle, TheSameSeedGivesTheSameCycles) {
  const auto end = [](const char* yaml) {
    Embedded embedded(yaml);
    map_one_page(embedded);
    std::vector<std::uint64_t> done;
    for (unsigned i = 0; i < 20; ++i) done.push_back(embedded.run(Embedded::request(5, 0x2000 + 0x1000 * i)).done);
    return done;
  };
  const auto first = end("mode: cycle\nseed: 1\nmemory: {jitter_cycles: 50}");
  EXPECT_EQ(first, end("mode: cycle\nseed: 1\nmemory: {jitter_cycles: 50}"));
  EXPECT_NE(first, end("mode: cycle\nseed: 2\nmemory: {jitter_cycles: 50}"));
}

TEST(Cycle, HasNoSynchronousTranslation) {
  Embedded embedded(kCycle);
  const auto request = Embedded::request(5, 0x1000);
  iommusim_result result;
  EXPECT_EQ(iommusim_translate(embedded.iommu, &request, &result), IOMMUSIM_WRONG_MODE);
  EXPECT_STREQ(iommusim_last_error(embedded.iommu), "this operation exists in mode functional only");
}

TEST(Cycle, StatisticsAreThoseOfTheEngine) {
  Embedded embedded(kCycle);
  map_one_page(embedded);
  embedded.run(Embedded::request(5, 0x1000));
  char* const json = iommusim_statistics(embedded.iommu);
  ASSERT_NE(json, nullptr);
  EXPECT_NE(std::string(json).find("\"iotlb\""), std::string::npos);
  iommusim_free(json);
}

}  // namespace iommusim::embed::test
