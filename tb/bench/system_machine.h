// SPDX-License-Identifier: Apache-2.0
// A whole machine in one process: devices, bus, IOMMU, memory, with the full AT protocol between them and no software
// above. Each device is a DmaMaster that reads 64 bytes at addresses of a stream and keeps its share of DMAs in flight.
// Several machines stand side by side, since SystemC elaborates once; those that have nothing to do cost nothing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "devices/dma_master.h"
#include "memory_tables.h"
#include "tlm/dma_bus.h"
#include "tlm/iommu.h"
#include "tlm/memory.h"
#include "unit/tlm/raw_initiator.h"

namespace iommusim::bench {

/// The addresses of one device, from MemoryTables::kBase on, in pages of 4 KiB.
struct Stream {
  std::uint32_t device = 0;
  std::uint64_t pages = 1;
  bool random = false;
  std::uint64_t stride = 1;  ///< round robin: pages from one to the next

  std::uint64_t address(std::uint64_t number, base::Random& numbers) const {
    const std::uint64_t page = random ? numbers.below(pages) : number % pages * stride;
    return MemoryTables::kBase + page * 4096 + number / pages % 64 * 64;
  }
};

struct MachineParams {
  unsigned devices = 1;
  std::uint32_t outstanding = 64;  ///< of each device
  bus::IommuParams iommu{};
  bus::DmaBusParams bus{};
};

class Machine;

class Source final : devices::DmaClient {
 public:
  Source(const std::string& name, std::uint32_t outstanding, Machine& machine, stats::Group& parent);
  bus::InitiatorSocket& socket() { return master_.socket(); }
  void pump();

  Stream stream{};

 private:
  void completed(const devices::DmaRequest&, translate::Response response) override;
  void ready() override { pump(); }

  Machine& machine_;
  std::uint32_t outstanding_;
  std::uint32_t in_flight_ = 0;
  std::uint64_t number_ = 0;
  base::Random numbers_{1};
  devices::DmaMaster master_;
};

class Machine final : public bus::TimedModule {
 public:
  Machine(const sc_core::sc_module_name& name, const MachineParams& params);

  MemoryTables& tables() { return tables_; }
  Source& source(unsigned index) { return *sources_[index]; }
  bus::Iommu& iommu() { return iommu_; }
  /// Switches the IOMMU on, once the tables are there.
  void power_up();
  /// `count` DMAs by all sources together, to the last answer; how many failed.
  std::uint64_t run(std::uint64_t count);

 private:
  friend class Source;
  base::Picoseconds work(base::Picoseconds) override;

  stats::Group stats_;
  bus::Memory memory_;
  bus::Iommu iommu_;
  bus::DmaBus bus_;
  sc_test::RawInitiator processor_{"processor"};
  std::vector<std::unique_ptr<Source>> sources_;
  MemoryTables tables_;
  std::uint64_t to_begin_ = 0;
  std::uint64_t to_end_ = 0;
  std::uint64_t failed_ = 0;
};

}  // namespace iommusim::bench
