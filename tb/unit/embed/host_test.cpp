// SPDX-License-Identifier: Apache-2.0
// The table of callbacks: what must be there, older sizes, and memory that refuses.
#include <gtest/gtest.h>

#include <functional>

#include "embedded.h"

namespace iommusim::embed::test {

namespace {

std::string host_error(const iommusim_host* host) {
  char* error = nullptr;
  iommusim_iommu* const iommu = iommusim_create(nullptr, host, &error);
  const std::string text = error == nullptr ? "" : error;
  iommusim_free(error);
  iommusim_destroy(iommu);
  return text;
}

/// Sv39 with A and D for the hardware to set, one page without either.
void attach_fresh_page(Embedded& embedded) {
  AddressSpace space = embedded.space();
  space.map(0x1000, 0x90000000, 0, flags::kAll & ~(flags::kA | flags::kD));
  embedded.attach(5, space, spec::dc_tc::kSade.mask());
}

}  // namespace

TEST(Host, NeedsMemory) {
  Embedded embedded;
  iommusim_host host = embedded.host;
  EXPECT_EQ(host_error(&host), "");
  host.write = nullptr;
  EXPECT_EQ(host_error(&host), "iommusim_host.read or write is NULL, expected a function");
  EXPECT_EQ(host_error(nullptr), "host is NULL");
  host = embedded.host;
  host.size = 3;
  EXPECT_EQ(host_error(&host), "iommusim_host.size is 3, expected sizeof(iommusim_host)");
}

TEST(Host, MembersBeyondItsSizeAreNotCalled) {
  Embedded embedded(nullptr, offsetof(iommusim_host, compare_swap));
  attach_fresh_page(embedded);
  const auto request = Embedded::request(5, 0x1000, IOMMUSIM_WRITE);
  iommusim_result result;
  ASSERT_EQ(iommusim_submit(embedded.iommu, &request, 9), IOMMUSIM_OK);
  EXPECT_TRUE(embedded.results.empty());
  ASSERT_EQ(iommusim_poll(embedded.iommu, &result), 1);
  EXPECT_EQ(result.cookie, 9U);
  EXPECT_EQ(result.address, 0x90000000U);
  EXPECT_EQ(iommusim_poll(embedded.iommu, &result), 0);
  EXPECT_EQ(embedded.memory.swaps, 0U);
  EXPECT_EQ(embedded.memory.writes, 1U) << "without compare_swap: a read and a write";
}

TEST(Host, AtomicUpdatesAreOneCall) {
  Embedded embedded;
  attach_fresh_page(embedded);
  embedded.memory.clear_counts();
  EXPECT_EQ(embedded.run(Embedded::request(5, 0x1000, IOMMUSIM_WRITE)).translated, 1U);
  EXPECT_EQ(embedded.memory.swaps, 1U);
  EXPECT_EQ(embedded.memory.writes, 0U);
}

TEST(Host, RefusedAndCorruptMemoryAreDifferentFaults) {
  for (const char* mode : {"mode: functional", "mode: cycle"}) {
    Embedded embedded(mode);
    embedded.memory.failing[embedded.ddt_root + 32 * 5] = translate::MemoryStatus::kAccessFault;
    EXPECT_EQ(embedded.run(Embedded::request(5, 0x1000)).cause, 257U) << "DDT entry load access fault";
    embedded.memory.failing[embedded.ddt_root + 32 * 5] = translate::MemoryStatus::kCorrupt;
    EXPECT_EQ(embedded.run(Embedded::request(5, 0x1000)).cause, 268U) << "DDT data corruption";
  }
}

TEST(Host, WiresAreToldOnChange) {
  for (const char* mode : {"mode: functional", "mode: cycle"}) {
    Embedded embedded(mode);
    embedded.set(spec::kIcvecOffset, spec::icvec::kFiv.of(3));
    EXPECT_TRUE(embedded.wires.empty());
    embedded.run(Embedded::request(5, 0x1000));
    embedded.run(Embedded::request(5, 0x2000));
    ASSERT_EQ(embedded.wires.size(), 1U) << "one edge for two faults";
    EXPECT_EQ(embedded.wires[0].vector, 3U);
    EXPECT_EQ(embedded.wires[0].level, 1);
    EXPECT_EQ(iommusim_wires(embedded.iommu), 8U);
    embedded.set(spec::kIpsrOffset, spec::ipsr::kFip.mask(), 4);
    ASSERT_EQ(embedded.wires.size(), 2U);
    EXPECT_EQ(embedded.wires[1].level, 0);
  }
}

}  // namespace iommusim::embed::test
