// SPDX-License-Identifier: Apache-2.0
// An IOMMU between a device, a processor and a memory, all driven by hand, on tables that are there from the start.
#pragma once

#include "timed_machine.h"
#include "tlm/iommu.h"
#include "tlm/memory.h"
#include "tlm/protocol_checker.h"
#include "unit/tlm/raw_initiator.h"
#include "unit/tlm/sc_test.h"

namespace iommusim::bus::iommu_bench {

using sc_test::RawInitiator;
using timing::test::AddressSpace;
using timing::test::Machine;
using timing::test::TimedMachine;

inline constexpr std::uint32_t kDevice = 5;
inline constexpr std::uint64_t kLatency = 100;  // cycles of 1 ns

/// 16 pages from 0x10000 on; the fifth cannot be written.
inline void build_tables(Machine& tables) {
  AddressSpace space = tables.space(8, 0);
  for (std::uint64_t page = 0; page < 16; ++page)
    space.map(0x10000 + page * 0x1000, 0x50000 + page * 0x2000, 0,
              page == 4 ? timing::test::flags::kAll & ~timing::test::flags::kW : timing::test::flags::kAll);
  tables.attach(kDevice, space);
}

struct IommuBench : InterruptLines {
  /// With `more_to_bind`, who makes it binds the device, and calls bring_up().
  explicit IommuBench(const IommuParams& params = {}, bool more_to_bind = false)
      : tables(params.implementation),
        memory("memory", memory_params(params.dmi), {"dma", "own"}, stats),
        iommu("iommu", params, 1, 1, stats) {
    if (!more_to_bind) device.socket.bind(checker.from_initiator);
    if (!more_to_bind) checker.to_target.bind(iommu.dma(0));
    cpu.socket.bind(iommu.registers());
    iommu.memory_dma().bind(memory.port(0));
    iommu.memory_own().bind(memory.port(1));
    iommu.connect(this);
    build_tables(tables);
    load_tables();
    if (!more_to_bind) bring_up();
  }
  void bring_up() {
    write_register(spec::kFctlOffset, 4, spec::fctl::kWsi.mask());  // before anything is on
    write_register(spec::kCqbOffset, 8, tables.command_address(0) >> 2 | 7);
    write_register(spec::kFqbOffset, 8, tables.fault_address(0) >> 2 | 6);
    write_register(spec::kFqcsrOffset, 4, spec::fqcsr::kFqen.mask() | spec::fqcsr::kFie.mask());
    write_register(spec::kDdtpOffset, 8, tables.ddt_root >> 2 | 4);
    sc_test::run_to(10'000'000);
  }
  /// What is in `tables` is in memory, too.
  void load_tables() {
    tables.memory.for_each_word(
        [this](std::uint64_t address, std::uint64_t word) { memory.store().store64(address, word); });
  }
  static MemoryParams memory_params(bool dmi = false) {
    MemoryParams params;
    params.dmi = dmi;
    params.latency_ns = kLatency;
    params.bandwidth_bytes_per_s = 0;
    return params;
  }
  void write_register(std::uint32_t offset, std::uint32_t bytes, std::uint64_t value) {
    PooledPayload& payload = cpu.pool.take();
    std::memcpy(payload.buffer(), &value, bytes);
    set_access(payload, true, offset, payload.buffer(), bytes);
    EXPECT_EQ(cpu.socket->transport_dbg(payload), bytes);
    payload.release();
  }
  PooledPayload& prepare(bool write, std::uint64_t iova, std::uint32_t bytes) {
    PooledPayload& payload = device.pool.take();
    set_access(payload, write, iova, payload.buffer(), bytes);
    payload.dma.device = base::DeviceId(kDevice);
    return payload;
  }
  PooledPayload& begin(bool write, std::uint64_t iova, std::uint32_t bytes) {
    PooledPayload& payload = prepare(write, iova, bytes);
    device.send(payload);
    return payload;
  }
  void set_level(unsigned vector, bool level) override { levels.emplace_back(vector, level); }

  stats::Group stats{"system"};
  Machine tables;
  RawInitiator device{"device"}, cpu{"cpu"};
  ProtocolChecker checker{"checker"};
  Memory memory;
  Iommu iommu;
  std::vector<std::pair<unsigned, bool>> levels;
};

}  // namespace iommusim::bus::iommu_bench
