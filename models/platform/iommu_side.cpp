// SPDX-License-Identifier: Apache-2.0
#include "platform/iommu_side.h"

#include "platform/address_map.h"

namespace iommusim::platform {

hal::TlmMmioParams mmio_params_of(const SystemParams& params) {
  hal::TlmMmioParams out;
  out.cpu_read_ns = out.cpu_write_ns = params.software.cost.mmio_ns;
  return out;
}

std::vector<std::string> memory_ports_of(const SystemParams& params) {
  std::vector<std::string> ports = {"dma", "iommu", "processor"};
  for (const auto& [name, iommu] : params.iommus) {
    ports.push_back(name + "_dma");
    ports.push_back(name);
  }
  return ports;
}

IommuSide::IommuSide(const std::string& own_name, const SystemParams& params, const Topology& topology,
                     const std::vector<std::string>& port_names, hal::SystemcOs& os, bus::Memory& memory,
                     unsigned first_port, bus::PeerBars* peer_bars, stats::Group& root)
    : name(own_name),
      messages((name + "_messages").c_str(), kMessageWindow, kMessageWindowBytes),
      iommu(name.c_str(), params.iommus.at(name), 1, params.seed.timing, root),
      bus(make_bus(name + "_bus", params, topology, name, port_names, root)),
      mmio((name + "_mmio").c_str(), mmio_params_of(params)),
      interrupts(os, params.software.vectors, params.software.cost.interrupt_ns, hal::MessageTarget{kMessageWindow, 0}),
      bridge(interrupts),
      peers(connect_dma(name + "_peer_to_peer", iommu.memory_dma(), memory.port(first_port), peer_bars)),
      received(
          root, (name + "'s own accesses = its requests in memory + interrupt messages, over the run").c_str(),
          [this] { return iommu.own_accesses(); },
          [this, &memory, first_port] {
            return memory.port_statistics(first_port + 1).requests.value() + messages.taken();
          }) {
  bus->to_iommu().bind(iommu.dma(0));
  iommu.memory_own().bind(messages.in);
  messages.out.bind(memory.port(first_port + 1));
  messages.connect(&bridge);
  iommu.connect(&bridge);
  mmio.socket.bind(iommu.registers());
}

}  // namespace iommusim::platform
