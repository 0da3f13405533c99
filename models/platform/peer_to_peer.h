// SPDX-License-Identifier: Apache-2.0
// Memory of devices in a system, and DMA of other devices to it: what can be wrong with the parameters, and the modules
// between IOMMUs and memory, which a system without such memory does not have.
#pragma once

#include <memory>
#include <string>

#include "platform/params.h"
#include "tlm/peer_router.h"

namespace iommusim::platform {

/// ParameterError for the first BAR or peer that cannot be.
void check_peers(const SystemParams& params);
/// The BARs of all devices; nullptr: there is none.
std::unique_ptr<bus::PeerBars> make_peer_bars(const SystemParams& params, stats::Group& parent);
/// Binds an IOMMU's DMA to memory, through a router when there are BARs. The module must outlive the simulation.
std::unique_ptr<bus::PeerRouter> connect_dma(const std::string& name, bus::InitiatorSocket& dma,
                                             bus::TargetSocket& memory, bus::PeerBars* bars);

}  // namespace iommusim::platform
