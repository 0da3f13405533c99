// SPDX-License-Identifier: Apache-2.0
// Mode functional: synchronous results, time, statistics.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "embedded.h"

namespace iommusim::embed::test {

TEST(Functional, TranslatesAtOnce) {
  Embedded embedded;
  AddressSpace space = embedded.space();
  space.map(0x1000, 0x90000000);
  embedded.attach(5, space);
  const auto request = Embedded::request(5, 0x1040);
  iommusim_result result;
  ASSERT_EQ(iommusim_advance(embedded.iommu, 50), IOMMUSIM_OK);
  ASSERT_EQ(iommusim_translate(embedded.iommu, &request, &result), IOMMUSIM_OK);
  EXPECT_EQ(result.address, 0x90000040U);
  EXPECT_EQ(result.accepted, 50U);
  EXPECT_EQ(result.done, 50U);
  EXPECT_TRUE(embedded.results.empty()) << "the answer is the return value";
}

TEST(Functional, TimeCountsCyclesAndNeverGoesBack) {
  Embedded embedded("implementation: {hpm: true, num_hpm: 2}");
  embedded.set(spec::kIocountinhOffset, 0, 4);
  EXPECT_EQ(iommusim_advance(embedded.iommu, 1000), IOMMUSIM_OK);
  EXPECT_EQ(iommusim_now(embedded.iommu), 1000U);
  EXPECT_EQ(embedded.get(spec::kIohpmcyclesOffset, 8), 1000U);
  EXPECT_EQ(iommusim_advance(embedded.iommu, 999), IOMMUSIM_BAD_ARGUMENT);
  EXPECT_STREQ(iommusim_last_error(embedded.iommu), "cycle is 999, expected one from 1000 on");
}

TEST(Functional, StatisticsAreJsonAndReset) {
  Embedded embedded;
  AddressSpace space = embedded.space();
  space.map(0x1000, 0x90000000);
  embedded.attach(5, space);
  const auto statistics = [&] {
    char* const json = iommusim_statistics(embedded.iommu);
    std::string text = json;
    iommusim_free(json);
    text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c == ' ' || c == '\n'; }), text.end());
    return text;
  };
  ASSERT_EQ(iommusim_reset_statistics(embedded.iommu), IOMMUSIM_OK);
  embedded.run(Embedded::request(5, 0x1000));
  embedded.run(Embedded::request(5, 0x2000));
  const auto counter = [](const char* name, int value) {
    return '"' + std::string(name) + R"(":{"kind":"counter","unit":"count","value":)" + std::to_string(value) + '}';
  };
  EXPECT_EQ(statistics(), R"({"schema_version":1,"measured":{"embed":{"host":{)" + counter("accesses", 6) + ',' +
                              counter("messages", 0) + ',' + counter("wire_changes", 1) + R"(},"functional":{)" +
                              counter("translated", 1) + ',' + counter("faulted", 1) + "}}}}")
      << "a device context and three levels, the leaf beside it, and a fault record";
  ASSERT_EQ(iommusim_reset_statistics(embedded.iommu), IOMMUSIM_OK);
  EXPECT_NE(statistics().find(counter("translated", 0)), std::string::npos);
}

}  // namespace iommusim::embed::test
