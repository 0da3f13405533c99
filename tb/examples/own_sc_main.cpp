// SPDX-License-Identifier: Apache-2.0
// Our IOMMU in your own sc_main: a device and a memory that know nothing of iommusim but the TLM-2.0 base protocol, and
// between them one iommusim::bus::Iommu. There is no driver here: the device module writes the tables that the hardware
// walks straight into memory and programs the two registers it needs. Copy this file to begin a testbench of your own.
#define SC_INCLUDE_DYNAMIC_PROCESSES  // simple_target_socket needs it, before <systemc>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <cstdio>
#include <systemc>

#include "spec/formats.h"
#include "spec/registers.h"
#include "tlm/iommu.h"

namespace bus = iommusim::bus;
namespace spec = iommusim::spec;
const sc_core::sc_time kNanosecond(1, sc_core::SC_NS);

/// 1 MiB that answers after 50 ns. One socket for the device's data, one for what the IOMMU reads and writes itself.
struct MyMemory : sc_core::sc_module {
  explicit MyMemory(const sc_core::sc_module_name& name) : sc_module(name) {
    data.register_b_transport(this, &MyMemory::access);
    tables.register_b_transport(this, &MyMemory::access);
  }
  void access(bus::Payload& payload, sc_core::sc_time& delay) {
    delay += 50 * kNanosecond;
    std::uint8_t* const place = &bytes[payload.get_address() % sizeof bytes];
    if (payload.is_read()) std::memcpy(payload.get_data_ptr(), place, payload.get_data_length());
    if (payload.is_write()) std::memcpy(place, payload.get_data_ptr(), payload.get_data_length());
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  std::uint64_t& word(std::uint64_t address) { return *reinterpret_cast<std::uint64_t*>(&bytes[address]); }

  tlm_utils::simple_target_socket<MyMemory> data{"data"}, tables{"tables"};
  alignas(8) std::uint8_t bytes[1 << 20] = {};
};

/// A device with device_id 5 that also plays the software.
struct MyDevice : sc_core::sc_module {
  SC_HAS_PROCESS(MyDevice);
  MyDevice(const sc_core::sc_module_name& name, MyMemory& its_memory) : sc_module(name), memory(its_memory) {
    SC_THREAD(run);
  }

  /// b_transport waits in the IOMMU's pipeline like any other request.
  template <class Socket>
  bool transport(Socket& socket, bool write, std::uint64_t address, std::uint64_t& word, unsigned bytes) {
    bus::DmaExtension who;  // mandatory on the DMA side of the IOMMU; registers ignore it
    who.device = iommusim::base::DeviceId(5);
    bus::Payload payload;
    payload.set_command(write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
    payload.set_address(address);
    payload.set_data_ptr(reinterpret_cast<unsigned char*>(&word));
    payload.set_data_length(bytes);
    payload.set_streaming_width(bytes);
    payload.set_extension(&who);
    sc_core::sc_time delay;
    socket->b_transport(payload, delay);
    wait(delay);
    payload.clear_extension(&who);  // it is ours, not the payload's
    return payload.is_response_ok();
  }
  void set_register(std::uint32_t offset, std::uint64_t word, unsigned bytes) {
    transport(registers, true, offset, word, bytes);
  }
  /// Polls until bits of the register are `value`.
  void await_register(std::uint32_t offset, unsigned bytes, std::uint64_t mask, std::uint64_t value) {
    for (std::uint64_t word = ~value; (word & mask) != value; wait(10 * kNanosecond))
      transport(registers, false, offset, word = 0, bytes);
  }

  void set_up() {
    const auto table = [](std::uint64_t at) { return spec::pte::kV.of(1) | spec::pte::kPpn.of(at >> 12); };
    const auto page = [&](std::uint64_t at, bool writeable) {  // U: a request without process id is a user's
      return table(at) | spec::pte::kR.of(1) | spec::pte::kW.of(writeable) | spec::pte::kU.of(1) | spec::pte::kA.of(1) |
             spec::pte::kD.of(1);
    };
    // Sv39: IOVA 0x40000000 is entry 1 of the root, then entry 0, then entry 0; the page after it is read-only.
    memory.word(0x2000 + 1 * 8) = table(0x3000);
    memory.word(0x3000) = table(0x4000);
    memory.word(0x4000 + 0 * 8) = page(0x80000, true);
    memory.word(0x4000 + 1 * 8) = page(0x81000, false);
    // The context of device 5 in a directory of one level: 32 bytes each, first stage only, PSCID 7.
    memory.word(0x1000 + 5 * 32 + 0) = spec::dc_tc::kV.of(1);
    memory.word(0x1000 + 5 * 32 + 16) = spec::dc_ta::kPscid.of(7);
    memory.word(0x1000 + 5 * 32 + 24) = spec::dc_fsc::kMode.of(spec::iosatp_mode::kSv39) | spec::dc_fsc::kPpn.of(2);
    // A fault queue of 8 entries at 0x5000, then the directory at 0x1000: from there on the IOMMU translates.
    set_register(spec::kFqbOffset, spec::fqb::kPpn.of(5) | spec::fqb::kLog2sz1.of(2), 8);
    set_register(spec::kFqcsrOffset, spec::fqcsr::kFqen.of(1), 4);
    await_register(spec::kFqcsrOffset, 4, spec::fqcsr::kFqon.mask(), spec::fqcsr::kFqon.mask());
    set_register(spec::kDdtpOffset, spec::ddtp::kIommuMode.of(2) | spec::ddtp::kPpn.of(1), 8);
    await_register(spec::kDdtpOffset, 8, spec::ddtp::kBusy.mask(), 0);
  }

  void dma_word(const char* what, bool write, std::uint64_t iova, std::uint64_t& word) {
    const sc_core::sc_time start = sc_core::sc_time_stamp();
    const bool good = transport(dma, write, iova, word, 8);
    std::printf("%-22s iova %#lx: %-5s %.0f ns\n", what, iova, good ? "ok" : "error",
                (sc_core::sc_time_stamp() - start) / kNanosecond);
  }

  void run() {
    set_up();
    std::uint64_t word = 0x1122334455667788, back = 0;
    dma_word("write, cold", true, 0x40000010, word);  // 1 read of the directory, 3 of the table, 1 write, 3 cycles
    dma_word("write, IOTLB hit", true, 0x40000018, word);
    dma_word("read, IOTLB hit", false, 0x40000010, back);
    std::printf("memory at 0x80010: %#lx, read back: %#lx\n", memory.word(0x80010), back);
    dma_word("write, read-only page", true, 0x40001000, word);
    await_register(spec::kFqtOffset, 4, ~0ULL, 1);
    std::printf("fault record: cause %lu, device %lu, iova %#lx\n", spec::fault_w0::kCause.get(memory.word(0x5000)),
                spec::fault_w0::kDid.get(memory.word(0x5000)), memory.word(0x5010));
  }

  MyMemory& memory;
  tlm_utils::simple_initiator_socket<MyDevice> dma{"dma"}, registers{"registers"};
};

int sc_main(int, char**) {
  iommusim::stats::Group statistics("example");
  bus::IommuParams params;  // every parameter that `iommusim params` lists below iommu
  params.engine.iotlb.entries = 16;
  MyMemory memory("memory");
  MyDevice device("device", memory);
  bus::Iommu iommu("iommu", params, /*dma_ports=*/1, /*timing_seed=*/1, statistics);
  device.dma.bind(iommu.dma(0));
  device.registers.bind(iommu.registers());
  iommu.memory_dma().bind(memory.data);
  iommu.memory_own().bind(memory.tables);
  sc_core::sc_start();
  iommu.statistics().advance(iommu.cycle());  // closes the sums over time
  iommusim::stats::check_identities(statistics);
  const auto& iotlb = iommu.statistics().iotlb;
  std::printf("IOTLB: %lu hits, %lu misses\n", iotlb.hits.value(), iotlb.misses.value());
  return 0;
}
