// SPDX-License-Identifier: Apache-2.0
// The testbench of README.md, whole: a device and a processor of one's own around our IOMMU and memory. The IOMMU is in
// bare mode, so that a DMA passes untranslated. Exit status 0: the data arrived.
#include <cstring>
#include <tuple>

#include "tlm/dma_extension.h"
#include "tlm/iommu.h"
#include "tlm/memory.h"

namespace {

using namespace iommusim;

/// An initiator with blocking calls only.
struct Initiator : ::tlm::tlm_bw_transport_if<> {
  explicit Initiator(const char* name) : socket(name) { socket.bind(*this); }
  ::tlm::tlm_sync_enum nb_transport_bw(bus::Payload&, ::tlm::tlm_phase&, sc_core::sc_time&) override {
    return ::tlm::TLM_ACCEPTED;
  }
  void invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) override {}

  bool write(std::uint64_t address, void* data, unsigned bytes, bus::DmaExtension* extension) {
    bus::Payload payload;
    payload.set_write();
    payload.set_address(address);
    payload.set_data_ptr(static_cast<unsigned char*>(data));
    payload.set_data_length(bytes);
    payload.set_streaming_width(bytes);
    payload.set_extension(extension);
    sc_core::sc_time delay;
    socket->b_transport(payload, delay);
    payload.clear_extension(extension);
    return payload.is_response_ok();
  }

  bus::InitiatorSocket socket;
};

struct Testbench : sc_core::sc_module {
  explicit Testbench(const sc_core::sc_module_name& name) : sc_module(name) {
    SC_HAS_PROCESS(Testbench);
    SC_THREAD(run);
  }
  void run() {
    std::uint64_t ddtp = static_cast<std::uint64_t>(spec::DdtMode::kBare);
    char text[] = "through the IOMMU";
    bus::DmaExtension from;
    from.device = base::DeviceId(8);
    passed = my_processor.write(spec::kDdtpOffset, &ddtp, 8, nullptr);
    sc_core::wait(1, sc_core::SC_US);  // ddtp is busy for a while
    passed = passed && my_device.write(0x4000, text, sizeof text, &from);
  }
  Initiator my_device{"my_device"}, my_processor{"my_processor"};
  bool passed = false;
};

}  // namespace

int sc_main(int, char**) {
  iommusim::stats::Group statistics("system");
  iommusim::bus::Iommu iommu("iommu", {}, /*dma_ports=*/1, /*timing_seed=*/1, statistics);
  iommusim::bus::Memory memory("memory", {}, {"dma", "iommu"}, statistics);
  Testbench testbench("testbench");
  auto [my_device, my_processor] = std::tie(testbench.my_device, testbench.my_processor);
  my_device.socket.bind(iommu.dma(0));          // DMA with IOVAs
  my_processor.socket.bind(iommu.registers());  // the register page
  iommu.memory_dma().bind(memory.port(0));      // the same DMA, translated
  iommu.memory_own().bind(memory.port(1));      // walks, queues, interrupt messages
  sc_core::sc_start();
  char text[18] = {};
  memory.store().read(0x4000, text, sizeof text);
  return testbench.passed && std::strcmp(text, "through the IOMMU") == 0 ? 0 : 1;
}
