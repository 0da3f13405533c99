// SPDX-License-Identifier: Apache-2.0
// Requests that are refused, and every member of a result that is not zero by nature.
#include <gtest/gtest.h>

#include <functional>

#include "embedded.h"

namespace iommusim::embed::test {

namespace {

std::string error_of_request(const iommusim_request& request) {
  Embedded embedded;
  return iommusim_submit(embedded.iommu, &request, 0) == IOMMUSIM_OK ? "" : iommusim_last_error(embedded.iommu);
}

}  // namespace

TEST(Convert, RequestsOutOfRangeAreRefused) {
  const iommusim_request good = Embedded::request(5, 0x1ff8);
  EXPECT_EQ(error_of_request(good), "");
  iommusim_request request = good;
  request.bytes = 9;
  EXPECT_EQ(error_of_request(request), "bytes is 9, expected 1..8 up to the 4 KiB border");
  request.bytes = 0;
  EXPECT_EQ(error_of_request(request), "bytes is 0, expected 1..8 up to the 4 KiB border");
  (request = good).device = 1 << 24;
  EXPECT_EQ(error_of_request(request), "device is 16777216, expected at most 16777215");
  (request = good).process = 1 << 20;
  EXPECT_EQ(error_of_request(request), "process is 1048576, expected at most 1048575");
  (request = good).access = 3;
  EXPECT_EQ(error_of_request(request), "access is 3, expected at most 2");
  (request = good).type = 3;
  EXPECT_EQ(error_of_request(request), "type is 3, expected at most 2");
  (request = good).flags = 64;
  EXPECT_EQ(error_of_request(request), "flags is 64, expected at most 63");
}

TEST(Convert, EveryFlagReachesTheModel) {
  Embedded embedded("implementation: {pd20: true, ats: true}");
  AddressSpace space = embedded.space();
  space.map(0x1000, 0x90000000, 0, flags::kAll & ~flags::kX);
  space.map(0x2000, 0x90001000, 0, flags::kAll & ~flags::kW);
  embedded.attach(5, space, spec::dc_tc::kEnAts.mask());
  iommusim_request request = Embedded::request(5, 0x1000);
  EXPECT_EQ(embedded.run(request).cause, 0U);
  request.flags = IOMMUSIM_EXECUTE;
  EXPECT_EQ(embedded.run(request).cause, 12U) << "instruction page fault";
  request.flags = IOMMUSIM_PROCESS_VALID;
  EXPECT_EQ(embedded.run(request).cause, 260U) << "transaction type disallowed: no process directory";
  request = Embedded::request(5, 0x2000, IOMMUSIM_ATOMIC);
  EXPECT_EQ(embedded.run(request).cause, 15U) << "store page fault";
  request.access = IOMMUSIM_READ;
  request.type = IOMMUSIM_ATS_REQUEST;
  const iommusim_result answer = embedded.run(request);
  EXPECT_EQ(answer.address, 0x90001000U);
  EXPECT_EQ(answer.ats, IOMMUSIM_ATS_R);
  request.iova = 0x1000;
  EXPECT_EQ(embedded.run(request).ats, IOMMUSIM_ATS_R | IOMMUSIM_ATS_W);
  request.type = IOMMUSIM_TRANSLATED;
  EXPECT_EQ(embedded.run(request).address, 0x1000U) << "already translated";
}

TEST(Convert, AResultHasTheWholeOutcome) {
  Embedded embedded;
  AddressSpace space = embedded.space(8, 8);
  space.map(0x40000000, 0x10000000);
  embedded.attach(5, space);
  const iommusim_result good = embedded.run(Embedded::request(5, 0x40000123));
  EXPECT_EQ(good.cookie, 77U);
  EXPECT_EQ(good.translated, 1U);
  EXPECT_EQ(good.address, translate::test::kGuestOffset + 0x10000123);
  EXPECT_EQ(good.size_log2, 12U);
  EXPECT_EQ(good.response, static_cast<std::uint32_t>(IOMMUSIM_SUCCESS));
  EXPECT_EQ(good.bypass, 0U);
  space.write_pte(space.second, space.second_entry(0x10000000, 0), 0);
  const iommusim_result bad = embedded.run(Embedded::request(5, 0x40000123, IOMMUSIM_WRITE));
  EXPECT_EQ(bad.translated, 0U);
  EXPECT_EQ(bad.cause, 23U) << "store guest-page fault";
  EXPECT_EQ(bad.iotval2, 0x10000120U) << "two bits are for flags";
  EXPECT_EQ(bad.fault_record, 1U);
  EXPECT_NE(bad.response, static_cast<std::uint32_t>(IOMMUSIM_SUCCESS));
}

TEST(Convert, BypassIsTold) {
  Embedded embedded;
  embedded.set(spec::kDdtpOffset, 1);
  const iommusim_result result = embedded.run(Embedded::request(5, 0x12345678));
  EXPECT_EQ(result.bypass, 1U);
  EXPECT_EQ(result.address, 0x12345678U);
}

}  // namespace iommusim::embed::test
