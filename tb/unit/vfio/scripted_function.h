// SPDX-License-Identifier: Apache-2.0
// A PCI function whose registers are plain memory, and which records what the VFIO layer tells it. Tests raise its
// interrupts by hand.
#pragma once

#include <atomic>
#include <cstring>
#include <mutex>
#include <vector>

#include "vfio/pci_function.h"

namespace iommusim::vfio {

class ScriptedFunction final : public PciFunction {
 public:
  static PciIdentity usual() {
    PciIdentity identity;
    identity.vendor = 0x1234;
    identity.device = 0x11E9;
    identity.subsystem_vendor = 0x1AF4;
    identity.subsystem_device = 0x1100;
    identity.class_code = 0x00FF'0001;
    identity.revision = 7;
    identity.bars[0] = {0x4000, true, false, false, true, 0};   // wide: takes register 1, too
    identity.bars[2] = {0x100, false, false, false, false, 0};  // small, not mapped
    identity.bars[4] = {0x20, false, false, true, false, 0};    // ports
    identity.interrupt_pin = 1;
    identity.msi_vectors = 8;
    identity.msix = {16, 0, 0x2000, 0, 0x3000};
    identity.rom = {0x55, 0xAA, 0x01};
    return identity;
  }

  explicit ScriptedFunction(PciIdentity identity = usual()) : identity_(std::move(identity)) {
    for (std::size_t i = 0; i < 6; ++i) memory_[i].resize(identity_.bars[i].bytes);
  }

  const PciIdentity& identity() const override { return identity_; }
  std::uint64_t bar_read(unsigned bar, std::uint64_t offset, unsigned bytes) override {
    const std::lock_guard guard(lock_);
    std::uint64_t value = 0;
    std::memcpy(&value, memory_[bar].data() + offset, bytes);
    accesses.push_back({bar, offset, bytes, false});
    return value;
  }
  void bar_write(unsigned bar, std::uint64_t offset, unsigned bytes, std::uint64_t value) override {
    const std::lock_guard guard(lock_);
    std::memcpy(memory_[bar].data() + offset, &value, bytes);
    accesses.push_back({bar, offset, bytes, true});
  }
  std::uint64_t bar_memory(unsigned bar) const override { return bar == memory_bar ? memory_spa : 0; }
  void set_bus_master(bool on) override { bus_master = on; }
  void set_interrupt_mode(PciInterruptMode to, unsigned count) override { mode = to, vectors = count; }
  void connect(PciInterruptSink* to) override { sink = to; }
  void reset() override {
    ++resets;
    bus_master = false;
    mode = PciInterruptMode::kNone;
    for (auto& bytes : memory_) std::fill(bytes.begin(), bytes.end(), std::uint8_t{0});
  }

  struct Access {
    unsigned bar;
    std::uint64_t offset;
    unsigned bytes;
    bool write;
    bool operator==(const Access& o) const {
      return bar == o.bar && offset == o.offset && bytes == o.bytes && write == o.write;
    }
  };
  std::vector<Access> accesses;
  unsigned memory_bar = 6;  ///< this BAR is plain memory
  std::uint64_t memory_spa = 0;
  std::atomic<bool> bus_master{false};
  std::atomic<PciInterruptMode> mode{PciInterruptMode::kNone};
  std::atomic<unsigned> vectors{0};
  std::atomic<unsigned> resets{0};
  PciInterruptSink* sink = nullptr;

 private:
  const PciIdentity identity_;
  std::mutex lock_;
  std::vector<std::uint8_t> memory_[6];
};

}  // namespace iommusim::vfio
