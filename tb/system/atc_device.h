// SPDX-License-Identifier: Apache-2.0
// A device for tests: a DMA engine behind an ATC, with a program that has one address space for it. What it does and
// when is the test's.
#pragma once

#include <gtest/gtest.h>

#include <mutex>

#include "devices/dma_master.h"
#include "iommufd/device.h"
#include "platform/address_map.h"
#include "platform/atc_slot.h"
#include "platform/kernel.h"
#include "platform/system.h"
#include "unit/tlm/sc_test.h"

namespace iommusim::platform::system_test {

inline constexpr std::uint64_t kWindow = 1ULL << 32;
inline constexpr std::uint32_t kDeviceId = 0x18;

class AtcDevice : public Workload, protected devices::DmaClient, protected domain::PageFaultHandler {
 public:
  AtcDevice(const devices::AtcParams& params, std::uint32_t outstanding, std::uint64_t seed, stats::Group& parent)
      : params_(params),
        master_("device", {outstanding, 4096}, *this, parent),
        atc_("device", params, base::DeviceId(kDeviceId), seed, master_.socket(), parent) {}

  std::vector<bus::InitiatorSocket*> sockets() override { return {&atc_.socket()}; }
  std::vector<std::string> port_names() const override { return {"device"}; }
  void open(Kernel& kernel) override {
    program_ = kernel.start_program();
    hardware_ = &kernel.add_device(kDeviceId, "device", params_);
    ASSERT_EQ(iommufd::device_bind(program_->context(), *hardware_, device_), 0);
    ASSERT_EQ(program_->ioas_alloc(ioas_), 0);
    iommufd::ObjectId page_table = ioas_;
    ASSERT_EQ(iommufd::device_attach(program_->context(), device_, page_table), 0);
    ASSERT_EQ(hardware_->set_page_fault_handler(this), params_.pri ? 0 : EOPNOTSUPP);
    atc_.enable(*hardware_);
  }
  void close(Kernel&) override {
    atc_.disable();
    ASSERT_EQ(hardware_->set_page_fault_handler(nullptr), 0);
    ASSERT_EQ(program_->ioas_unmap(ioas_, 0, ~0ULL), 0);
    ASSERT_EQ(iommufd::device_detach(program_->context(), device_), 0);
    ASSERT_EQ(iommufd::device_unbind(program_->context(), device_), 0);
    ASSERT_EQ(program_->destroy(ioas_), 0);
    program_.reset();
  }
  double progress() const override { return 0; }
  devices::Digest digest() const override { return {}; }
  std::uint64_t buffer_digest() const override { return 0; }
  std::uint64_t transfers() const override { return succeeded_ + failed_; }
  std::uint64_t failed_transfers() const override { return failed_; }
  std::uint64_t bytes_moved() const override { return 0; }

 protected:
  static devices::DmaRequest dma(bool write, std::uint64_t offset) {
    devices::DmaRequest request;
    request.device = base::DeviceId(kDeviceId);
    request.write = write;
    request.bytes = 64;
    request.iova = kWindow + offset;
    return request;
  }
  int map(std::uint64_t page, std::uint64_t buffer) {
    return program_->ioas_map(ioas_, kWindow + page * 4096, kBufferVa + buffer, 4096);
  }
  int unmap(std::uint64_t page) { return program_->ioas_unmap(ioas_, kWindow + page * 4096, 4096); }

  devices::AtcParams params_;
  devices::DmaMaster master_;
  AtcSlot atc_;
  std::unique_ptr<UserProgram> program_;
  domain::Device* hardware_ = nullptr;
  std::uint32_t device_ = 0, ioas_ = 0;
  std::uint64_t succeeded_ = 0, failed_ = 0;
};

/// A system whose driver uses ATS.
inline SystemParams ats_system() {
  SystemParams params;
  params.iommu.implementation.ats = true;
  params.software.ats = true;
  return params;
}

}  // namespace iommusim::platform::system_test
