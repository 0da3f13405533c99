// SPDX-License-Identifier: Apache-2.0
#include "platform/peer_to_peer.h"

#include <algorithm>
#include <vector>

#include "base/bits.h"
#include "base/nearest.h"
#include "platform/checks.h"

namespace iommusim::platform {

namespace {

void check_bar(const SystemParams& params, const std::string& name, const bus::PeerBarParams& bar) {
  const std::string path = "devices." + name + ".bar";
  if (!base::is_power_of_two(bar.bytes) || bar.bytes < base::kPageSize)
    throw ParameterError(path + ".bytes", std::to_string(bar.bytes) + ", expected a power of two, at least 4096");
  if (bar.first % bar.bytes != 0)
    throw ParameterError(path + ".first", std::to_string(bar.first) + ", expected a multiple of bar.bytes");
  // Memory is all below 2^physical_bits, the window of interrupt messages with it.
  if (bar.first >> params.memory.physical_bits == 0)
    throw ParameterError(path + ".first", std::to_string(bar.first) +
                                              " is in system memory (memory.physical_bits), expected at least " +
                                              std::to_string(1ULL << params.memory.physical_bits));
  std::uint32_t pas = params.iommu.implementation.pas;
  for (const auto& [other, iommu] : params.iommus) pas = std::min(pas, iommu.implementation.pas);
  if ((bar.first + bar.bytes - 1) >> pas != 0)
    throw ParameterError(path + ".first",
                         "the BAR is beyond the physical addresses of an IOMMU "
                         "(implementation.pas), expected less than " +
                             std::to_string(1ULL << pas));
  for (const auto& [other, device] : params.devices)
    if (other < name && device.bar.bytes != 0 && bar.first < device.bar.first + device.bar.bytes &&
        device.bar.first < bar.first + bar.bytes)
      throw ParameterError(path + ".first", "the BAR overlaps that of " + other + ", expected another place");
}

void check_peer(const SystemParams& params, const std::string& name, const DeviceParams& device) {
  const std::string path = "devices." + name + ".window.peer";
  if (params.software.stack != Stack::kTables || device.kind == DeviceKind::kPackets)
    throw ParameterError(path,
                         "only windows of generators on tables can be a peer's memory, expected none, or "
                         "software.stack tables");
  std::vector<std::string> names;
  for (const auto& [other, with] : params.devices)
    if (with.bar.bytes != 0 && other != name) names.push_back(other);
  if (std::find(names.begin(), names.end(), device.window.peer) == names.end())
    throw ParameterError(path,
                         "no other device with a BAR is called '" + device.window.peer + "', " +
                             (names.empty() ? "expected bar.bytes of one"
                                            : "did you mean '" + base::nearest_name(device.window.peer, names) + "'?"));
}

}  // namespace

void check_peers(const SystemParams& params) {
  for (const auto& [name, device] : params.devices)
    if (device.bar.bytes != 0) check_bar(params, name, device.bar);
  for (const auto& [name, device] : params.devices)
    if (!device.window.peer.empty()) check_peer(params, name, device);
}

std::unique_ptr<bus::PeerBars> make_peer_bars(const SystemParams& params, stats::Group& parent) {
  std::unique_ptr<bus::PeerBars> bars;
  for (const auto& [name, device] : params.devices) {
    if (device.bar.bytes == 0) continue;
    if (!bars) bars = std::make_unique<bus::PeerBars>(params.topology.peer_to_peer == PeerToPeer::kRouted, parent);
    bars->add(name, device.bar);
  }
  return bars;
}

std::unique_ptr<bus::PeerRouter> connect_dma(const std::string& name, bus::InitiatorSocket& dma,
                                             bus::TargetSocket& memory, bus::PeerBars* bars) {
  if (bars == nullptr) {
    dma.bind(memory);
    return nullptr;
  }
  auto router = std::make_unique<bus::PeerRouter>(name.c_str(), *bars);
  dma.bind(router->in);
  router->out.bind(memory);
  return router;
}

}  // namespace iommusim::platform
