// SPDX-License-Identifier: Apache-2.0
// A machine of exec in memory of the test, and what a program does to it, without VFIO: attach, map, access registers.
#pragma once

#include <sys/mman.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "device_hw/dma_engine.h"
#include "device_hw/pci_test.h"
#include "domain/domain.h"
#include "platform/exec/exec_machine.h"
#include "unit/tlm/sc_test.h"

namespace iommusim::platform::exec_rig {

inline SystemParams two_devices() {
  SystemParams params;
  params.devices["test"].kind = DeviceKind::kPciTest;
  params.devices["engine"].kind = DeviceKind::kDmaEngine;
  params.software.kernel_memory_bytes = 64 << 20;
  return params;
}

/// Counts messages, from whatever thread.
struct Sink final : vfio::PciInterruptSink {
  std::atomic<unsigned> messages[8] = {};
  void set_wire(bool) override {}
  void message(unsigned vector) override { messages[vector].fetch_add(1); }
  void error() override {}
  void request_release() override {}
};

template <class Holds>
bool soon(Holds holds) {
  for (int i = 0; i < 5000; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

struct Rig {
  static constexpr std::uint64_t kBytes = 1ULL << 30, kUser = 512ULL << 20;

  explicit Rig(const SystemParams& params = two_devices())
      : base(static_cast<std::uint8_t*>(
            mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))),
        machine(params, {base, kUser, kBytes}, [this](const std::exception_ptr& failure) { failed(failure); }) {}

  void failed(const std::exception_ptr& failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
  ExecMachine::Slot& slot(const std::string& name) {
    for (const ExecMachine::Slot& slot : machine.slots())
      if (slot.function->slot().name == name) return const_cast<ExecMachine::Slot&>(slot);
    throw std::logic_error("no such slot");
  }
  /// Attaches to a domain of its own.
  domain::Domain& attach(const std::string& name) {
    std::unique_ptr<domain::Domain>& domain = domains[name];
    EXPECT_EQ(slot(name).device->alloc_domain(domain), 0);
    EXPECT_EQ(slot(name).device->attach(*domain), 0);
    slot(name).function->connect(&sink);
    slot(name).function->set_bus_master(true);
    return *domain;
  }
  void close() {
    for (const ExecMachine::Slot& slot : machine.slots()) {
      slot.function->reset();
      slot.function->connect(nullptr);
      slot.device->block();
    }
    domains.clear();
  }
  /// A transfer of the PCI test device, polled as a program does.
  std::uint32_t transfer(std::uint64_t iova, bool from_memory) {
    namespace hw = device_hw::pci_test;
    ExecFunction& test = *slot("test").function;
    test.bar_write(0, hw::kAddress, 4, iova & 0xffffffff);
    test.bar_write(0, hw::kAddress + 4, 4, iova >> 32);
    test.bar_write(0, hw::kCommand, 4, hw::kStart | (from_memory ? hw::kFromMemory : 0U));
    while ((test.bar_read(0, hw::kCommand, 4) & hw::kStart) != 0) {
    }
    return static_cast<std::uint32_t>(test.bar_read(0, hw::kResult, 4));
  }
  std::uint8_t* user(std::uint64_t offset) { return base + kUser + offset; }

  std::uint8_t* base;
  Sink sink;
  std::map<std::string, std::unique_ptr<domain::Domain>> domains;
  ExecMachine machine;
};

}  // namespace iommusim::platform::exec_rig
