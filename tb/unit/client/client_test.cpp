// SPDX-License-Identifier: Apache-2.0
// The client library and its examples against a stack in this process.
#include "ioc.hpp"

#include <gtest/gtest.h>

#include "examples.h"
#include "in_process.h"

namespace iommusim::client {
namespace {

constexpr char kPath[] = "/dev/vfio/devices/vfio0";
constexpr std::uint64_t kBytes = 4096;
alignas(4096) unsigned char buffer[4 * kBytes];

struct ClientTest : ::testing::Test {
  InProcess machine;
};

TEST_F(ClientTest, ExamplesDoWhatTheyShould) {
  EXPECT_EQ(example_dma(&machine.system, kPath), 0);
  EXPECT_EQ(example_fault(&machine.system, kPath), 0);
  EXPECT_EQ(example_dirty(&machine.system, kPath), 0);
  EXPECT_EQ(machine.files.open_count(), 0U) << "they close what they open";
  EXPECT_EQ(machine.memory.pinned_pages(), 0U);
}

TEST_F(ClientTest, ExamplesSayWhatIsMissing) {
  EXPECT_EQ(example_dma(&machine.system, "/dev/vfio/devices/vfio7"), 1);
  EXPECT_EQ(example_dirty(&machine.system, "/dev/vfio/devices/vfio7"), 1);
  EXPECT_EQ(machine.files.open_count(), 0U);
}

TEST_F(ClientTest, ErrorsAreNegativeNumbers) {
  ioc_context* ioc = nullptr;
  ASSERT_EQ(ioc_open(&machine.system, &ioc), 0);
  std::uint32_t ioas = 0;
  ASSERT_EQ(ioc_ioas_alloc(ioc, &ioas), 0);
  EXPECT_EQ(ioc_destroy(ioc, 99), -ENOENT);
  EXPECT_EQ(ioc_map_at(ioc, ioas, buffer, kBytes, 0, 0), -EINVAL);
  EXPECT_EQ(ioc_map_at(ioc, ioas, buffer, kBytes, IOC_READ, 0), 0);
  EXPECT_EQ(ioc_map_at(ioc, ioas, buffer, kBytes, IOC_READ, 0), -EEXIST);
  std::uint64_t removed = 0;
  EXPECT_EQ(ioc_unmap(ioc, ioas, kBytes, kBytes, &removed), -ENOENT);
  EXPECT_EQ(ioc_unmap(ioc, ioas, 0, kBytes, &removed), 0);
  EXPECT_EQ(removed, kBytes);
  ioc_device* device = nullptr;
  EXPECT_EQ(ioc_device_open(ioc, "/dev/nothing", &device), -ENOENT);
  EXPECT_EQ(ioc_device_open(ioc, "/dev/iommu", &device), -ENOTTY) << "not a device";
  ioc_close(ioc);
  EXPECT_EQ(machine.files.open_count(), 0U);
}

TEST_F(ClientTest, RangesTellTheirNumber) {
  ioc::Context context(&machine.system);
  ioc::AddressSpace space(context);
  ioc_range range{};
  std::uint64_t alignment = 0;
  EXPECT_EQ(ioc_iova_ranges(context.get(), space.id(), nullptr, 0, nullptr), 1);
  EXPECT_EQ(ioc_iova_ranges(context.get(), space.id(), &range, 1, &alignment), 1);
  EXPECT_EQ(range.last, ~0ULL);
  EXPECT_EQ(alignment, 1U);
}

TEST_F(ClientTest, RegistersAndConfiguration) {
  ioc::Context context(&machine.system);
  ioc::Device device(context, kPath);
  EXPECT_EQ(ioc_bar_bytes(device.get(), 0), kBytes);
  EXPECT_EQ(ioc_bar_bytes(device.get(), 1), 0U);
  EXPECT_EQ(ioc_bar_bytes(device.get(), 9), 0U);
  device.write64(0, 0, 0x1122'3344'5566'7788);
  EXPECT_EQ(device.read64(0, 0), 0x1122'3344'5566'7788U);
  EXPECT_EQ(device.read32(0, 4096), 0xFFFF'FFFFU) << "beyond its end";
  EXPECT_EQ(device.read32(3, 0), 0xFFFF'FFFFU) << "no such BAR";
  std::uint32_t id = 0;
  EXPECT_EQ(ioc_config_read(device.get(), 0, &id, 4), 0);
  EXPECT_EQ(id, 0x11E9'1234U);
  EXPECT_EQ(ioc_config_read(device.get(), 4096, &id, 4), -EFAULT);
  EXPECT_EQ(ioc_reset(device.get()), 0);
  EXPECT_EQ(device.read64(0, 0), 0U);
  EXPECT_EQ(ioc_irq_count(device.get(), IOC_MSI), 1);
  EXPECT_EQ(ioc_irq_count(device.get(), 9), -EINVAL);
}

TEST_F(ClientTest, ObjectsCloseThemselves) {
  {
    ioc::Context context(&machine.system);
    ioc::AddressSpace space(context);
    {
      ioc::Device device(context, kPath);
      ioc::Mapping mapping = space.map(buffer, sizeof buffer);
      EXPECT_NE(device.attach(space), space.id());
      EXPECT_EQ(machine.memory.pinned_pages(), 4U);
      EXPECT_EQ(ioc_destroy(context.get(), space.id()), -EBUSY);
    }
    EXPECT_EQ(machine.memory.pinned_pages(), 0U);
    ioc::Device again(context, kPath);
    EXPECT_THROW(ioc::Device(context, kPath), std::system_error) << "it is bound";
  }
  EXPECT_EQ(machine.files.open_count(), 0U);
}

TEST_F(ClientTest, PasidsHaveTableOfTheirOwn) {
  ioc::Context context(&machine.system);
  ioc::Device device(context, kPath);
  ioc::AddressSpace space(context);
  ioc::PageTable table(context, device, space, IOC_HWPT_PASID);
  EXPECT_EQ(ioc_attach_pasid(device.get(), 5, table.id()), 0);
  EXPECT_EQ(ioc_destroy(context.get(), table.id()), -EBUSY);
  EXPECT_EQ(ioc_detach_pasid(device.get(), 5), 0);
}

TEST_F(ClientTest, AnEmptyFaultQueueAnswersNothing) {
  ioc::Context context(&machine.system);
  ioc::FaultQueue faults(context);
  EXPECT_TRUE(faults.read().empty());
  EXPECT_THROW(faults.answer(7, true), std::system_error);
}

}  // namespace
}  // namespace iommusim::client
