// SPDX-License-Identifier: Apache-2.0
// The driver on the functional model of the IOMMU, caches and all: what it writes into memory and registers is judged
// by the architecture's own code, and DMA shows what it was good for. Memory, registers and interrupts meet here; the
// driver sees its ports only.
#pragma once

#include "bench.h"
#include "hal/sim_process.h"
#include "translate/functional.h"

namespace iommusim::drivers::riscv::test {

/// The driver's memory as the IOMMU reaches it.
class ModelMemory final : public translate::MemoryPort {
 public:
  explicit ModelMemory(hal::Memory& memory) : memory_(memory) {}
  translate::MemoryAnswer read(const translate::MemoryAsk& ask) override {
    translate::MemoryAnswer answer;
    memory_.read(ask.address, answer.data.data(), ask.bytes);
    return answer;
  }
  translate::MemoryStatus write(const translate::MemoryAsk& ask) override {
    memory_.write(ask.address, ask.data.data(), ask.bytes);
    return translate::MemoryStatus::kOk;
  }
  translate::MemoryAnswer compare_swap(const translate::MemoryAsk& ask) override {
    translate::MemoryAnswer answer;
    answer.data[0] = ask.data[0];
    (void)memory_.compare_exchange64(ask.address, answer.data[0], ask.data[1]);
    return answer;
  }

 private:
  hal::Memory& memory_;
};

/// Devices answer invalidations at once, and keep the responses that they get.
class ModelMessages final : public translate::MessagePort {
 public:
  void send(const translate::DeviceMessage& message) override { sent.push_back(message); }
  std::vector<translate::DeviceMessage> sent;
};

class ModelMmio final : public hal::Mmio {
 public:
  ModelMmio(translate::FunctionalEngine& engine, ModelMessages& messages) : engine_(engine), messages_(messages) {}
  std::uint32_t read32(std::uint32_t offset) override {
    return static_cast<std::uint32_t>(engine_.read_register(offset, 4));
  }
  std::uint64_t read64(std::uint32_t offset) override { return engine_.read_register(offset, 8); }
  void write32(std::uint32_t offset, std::uint32_t value) override { write(offset, 4, value); }
  void write64(std::uint32_t offset, std::uint64_t value) override { write(offset, 8, value); }

 private:
  void write(std::uint32_t offset, unsigned bytes, std::uint64_t value) {
    engine_.write_register(offset, bytes, value);
    for (std::size_t i = answered_; i < messages_.sent.size(); i = answered_) {
      const translate::DeviceMessage message = messages_.sent[i];
      ++answered_;
      if (message.kind == translate::DeviceMessage::Kind::kInvalidationRequest)
        (void)engine_.invalidation_completion({message.function, 1U << message.itag, 1});
    }
  }
  translate::FunctionalEngine& engine_;
  ModelMessages& messages_;
  std::size_t answered_ = 0;
};

/// An IOMMU with everything that the driver can use.
inline spec::Implementation everything() {
  spec::Implementation implementation;
  implementation.pd8 = implementation.pd17 = implementation.pd20 = true;
  implementation.nl = implementation.s = implementation.ats = true;
  return implementation;
}

struct ModelBench {
  explicit ModelBench(const spec::Implementation& implementation = everything(), const RiscvIommuOptions& options = {})
      : registers(implementation), iommu(ports, system, options) {
    os.while_waiting = [this] { serve(); };
    EXPECT_EQ(iommu.probe(), 0);
  }
  ~ModelBench() {
    iommu.remove();
    EXPECT_EQ(system.pscids_in_use(), 0U);
    EXPECT_EQ(system.gscids_in_use(), 0U);
  }
  RiscvDevice& add(std::uint32_t id, unsigned pasid_bits = 20) {
    DeviceDescription description;
    description.device_ids = {id};
    description.group = id;
    description.pasid_bits = pasid_bits;
    return add(description);
  }
  RiscvDevice& add(const DeviceDescription& description) {
    int error = -1;
    RiscvDevice* const device = iommu.add_device(description, error);
    EXPECT_EQ(error, 0);
    return *device;
  }
  /// Interrupts that are pending.
  void serve() {
    if (serving_) return;
    serving_ = true;
    const std::uint32_t pending = mmio.read32(hw::kIpsrOffset);
    if (pending & hw::ipsr::kCipMask) interrupts.fire(0);
    if (pending & hw::ipsr::kFipMask) interrupts.fire(1);
    if (pending & hw::ipsr::kPipMask) interrupts.fire(2);
    serving_ = false;
  }

  static constexpr std::uint64_t kNowhere = ~0ULL;
  /// Where a DMA of a device goes; kNowhere: it faults, and `cause` says why.
  std::uint64_t dma(std::uint32_t id, std::uint64_t iova, bool write = false, int pasid = -1, bool privileged = false) {
    translate::Request request;
    request.device = base::DeviceId(id);
    request.iova = base::Iova(iova);
    request.bytes = 1;
    request.access = write ? translate::Access::kWrite : translate::Access::kRead;
    request.process_valid = pasid >= 0;
    request.process = base::ProcessId(static_cast<std::uint32_t>(pasid < 0 ? 0 : pasid));
    request.privileged = privileged;
    const translate::Outcome& outcome = engine.translate(request);
    const bool good = outcome.kind == translate::Outcome::Kind::kTranslated;
    cause = good ? 0 : static_cast<unsigned>(outcome.fault.cause);
    return good ? outcome.spa : kNowhere;
  }
  std::unique_ptr<domain::Domain> alloc(RiscvDevice& device, unsigned flags = 0) {
    std::unique_ptr<domain::Domain> domain;
    EXPECT_EQ(device.alloc_paging({flags, {}}, domain), 0);
    return domain;
  }
  /// Unmaps, and makes hardware forget.
  static std::uint64_t unmap(domain::Domain& domain, std::uint64_t iova, std::uint64_t bytes) {
    domain::Gather gather;
    const std::uint64_t cleared = domain.unmap(iova, bytes, gather);
    EXPECT_TRUE(domain.sync(gather));
    return cleared;
  }

  static constexpr std::uint64_t kFramesStart = 0x80000000;
  ManualOs os;
  hal::SparseMemory memory;
  hal::BuddyFrames frames{os, memory, kFramesStart, 64ULL << 20};
  translate::Registers registers;
  ModelMemory port{memory};
  ModelMessages messages;
  translate::FunctionalEngine engine{registers, port, &messages, translate::FunctionalCacheParams{}};
  ModelMmio mmio{engine, messages};
  ManualInterrupts interrupts{4};
  Ports ports{os, mmio, memory, frames, interrupts};
  RiscvSystem system{os};
  RiscvIommu iommu;
  unsigned cause = 0;

 private:
  bool serving_ = false;
};

inline constexpr unsigned kReadWrite = domain::kRead | domain::kWrite;

}  // namespace iommusim::drivers::riscv::test
