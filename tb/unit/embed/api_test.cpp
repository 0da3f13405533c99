// SPDX-License-Identifier: Apache-2.0
// The border itself: versions, life, errors as values, and what callbacks may not do.
#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "embedded.h"

namespace iommusim::embed::test {

TEST(Api, TellsItsVersions) {
  EXPECT_EQ(iommusim_abi(), static_cast<std::uint32_t>(IOMMUSIM_ABI));
  EXPECT_STREQ(iommusim_version(), IOMMUSIM_VERSION);
}

TEST(Api, NoInstanceIsAnErrorNotACrash) {
  std::uint64_t value = 0;
  iommusim_result result;
  EXPECT_EQ(iommusim_mmio_read(nullptr, 0, 8, &value), IOMMUSIM_BAD_ARGUMENT);
  EXPECT_EQ(iommusim_run_until_idle(nullptr), IOMMUSIM_BAD_ARGUMENT);
  EXPECT_EQ(iommusim_poll(nullptr, &result), 0);
  EXPECT_EQ(iommusim_now(nullptr), 0U);
  EXPECT_EQ(iommusim_wires(nullptr), 0U);
  EXPECT_EQ(iommusim_statistics(nullptr), nullptr);
  EXPECT_STREQ(iommusim_last_error(nullptr), "instance is NULL");
  iommusim_destroy(nullptr);
  iommusim_free(nullptr);
}

TEST(Api, NullArgumentsAreNamed) {
  Embedded embedded;
  EXPECT_STREQ(iommusim_last_error(embedded.iommu), "");
  EXPECT_EQ(iommusim_mmio_read(embedded.iommu, 0, 8, nullptr), IOMMUSIM_BAD_ARGUMENT);
  EXPECT_STREQ(iommusim_last_error(embedded.iommu), "value is NULL");
  EXPECT_EQ(iommusim_submit(embedded.iommu, nullptr, 0), IOMMUSIM_BAD_ARGUMENT);
  EXPECT_STREQ(iommusim_last_error(embedded.iommu), "request is NULL");
}

TEST(Api, RegisterAccessesAreAlignedAndInside) {
  Embedded embedded;
  std::uint64_t value = 1;
  for (const auto& [offset, bytes] : {std::pair{0U, 2U}, {4U, 8U}, {4096U, 8U}, {0xfffffff8U, 8U}, {2U, 4U}}) {
    EXPECT_EQ(iommusim_mmio_read(embedded.iommu, offset, bytes, &value), IOMMUSIM_BAD_ARGUMENT) << offset;
    EXPECT_EQ(iommusim_mmio_write(embedded.iommu, offset, bytes, 0), IOMMUSIM_BAD_ARGUMENT) << offset;
  }
  EXPECT_EQ(value, 1U);
  EXPECT_EQ(embedded.get(spec::kCapabilitiesOffset, 8), spec::Implementation{}.capabilities());
}

TEST(Api, CallbacksDoNotCallTheirInstanceButMayCallAnother) {
  Embedded other;
  Embedded embedded;
  AddressSpace space = embedded.space();
  space.map(0x1000, 0x90000000);
  embedded.attach(5, space);
  std::vector<iommusim_status> found;
  embedded.on_read = [&] {
    std::uint64_t value;
    found = {iommusim_mmio_read(embedded.iommu, 0, 8, &value), iommusim_mmio_read(other.iommu, 0, 8, &value)};
  };
  EXPECT_EQ(embedded.run(Embedded::request(5, 0x1000)).translated, 1U);
  EXPECT_EQ(found, (std::vector{IOMMUSIM_IN_CALLBACK, IOMMUSIM_OK}));
  EXPECT_EQ(embedded.get(spec::kFqtOffset), 0U);
}

TEST(Api, AfterAnExceptionOfACallbackTheInstanceIsOver) {
  Embedded embedded;
  embedded.on_read = [] { throw std::runtime_error("thrown by the host"); };
  const auto request = Embedded::request(5, 0x1000);
  iommusim_result result;
  EXPECT_EQ(iommusim_translate(embedded.iommu, &request, &result), IOMMUSIM_FAILED);
  EXPECT_STREQ(iommusim_last_error(embedded.iommu), "thrown by the host");
  EXPECT_EQ(iommusim_run_until_idle(embedded.iommu), IOMMUSIM_FAILED);
}

TEST(Api, InstancesShareNothing) {
  Embedded first, second("mode: cycle");
  for (Embedded* embedded : {&first, &second}) {
    AddressSpace space = embedded->space();
    space.map(0x1000, embedded == &first ? 0x90000000 : 0xa0000000);
    embedded->attach(5, space);
  }
  EXPECT_EQ(first.run(Embedded::request(5, 0x1008)).address, 0x90000008U);
  EXPECT_EQ(second.run(Embedded::request(5, 0x1008)).address, 0xa0000008U);
  EXPECT_EQ(first.run(Embedded::request(6, 0x1000)).translated, 0U);
  EXPECT_EQ(first.get(spec::kFqtOffset), 1U);
  EXPECT_EQ(second.get(spec::kFqtOffset), 0U);
}

TEST(Api, InstancesRunInDifferentThreads) {
  const auto work = [](const char* yaml, std::uint64_t page) {
    Embedded embedded(yaml);
    AddressSpace space = embedded.space();
    space.map(0x1000, page);
    embedded.attach(5, space);
    for (unsigned i = 0; i < 100; ++i)
      if (embedded.run(Embedded::request(5, 0x1000 + 8 * i)).address != page + 8 * i) return false;
    return true;
  };
  bool functional = false;
  std::thread other([&] { functional = work("mode: functional", 0x90000000); });
  EXPECT_TRUE(work("mode: cycle", 0xa0000000));
  other.join();
  EXPECT_TRUE(functional);
}

}  // namespace iommusim::embed::test
