// SPDX-License-Identifier: Apache-2.0
// What a DMA carries beside address, command and data: who asks, in which address space, and how the IOMMU answered.
// Mandatory on the device side of an IOMMU. The initiator fills it; only `response`, the bus's port and the hops change
// on the way.
#pragma once

#include <array>

#include "base/error.h"
#include "tlm/systemc.h"
#include "translate/request.h"

namespace iommusim::bus {

class DmaExtension : public ::tlm::tlm_extension<DmaExtension> {
 public:
  base::DeviceId device{};
  base::ProcessId process{};
  bool process_valid = false;
  bool privileged = false;  ///< has meaning only with process_valid
  bool execute = false;
  translate::AddressType type = translate::AddressType::kUntranslated;
  translate::Response response = translate::Response::kSuccess;  ///< by the IOMMU, before BEGIN_RESP
  bool relaxed_ordering = false;                                 ///< PCIe: a write that may pass earlier writes
  std::uint32_t requester_port = 0;                              ///< by the bus: which of its ports it came through
  std::uint64_t origin = 0;  ///< the initiator's number of the DMA that this is a part of

  /// An interconnect with several ports notes where the request came from; responses go back hop by hop.
  void push_hop(unsigned port) {
    base::ensure(hops_ < ports_.size(), "a DMA passed more interconnects than its extension can remember");
    ports_[hops_++] = port;
  }
  unsigned pop_hop() {
    base::ensure(hops_ > 0, "a DMA response came back to an interconnect that its request did not pass");
    return ports_[--hops_];
  }

  ::tlm::tlm_extension_base* clone() const override { return new DmaExtension(*this); }
  void copy_from(const ::tlm::tlm_extension_base& other) override { *this = static_cast<const DmaExtension&>(other); }

 private:
  std::array<std::uint32_t, 6> ports_{};
  std::uint8_t hops_ = 0;
};

/// The extension of a payload on the device side; a payload without one is a wiring error.
inline DmaExtension& dma_of(const Payload& payload) {
  auto* extension = payload.get_extension<DmaExtension>();
  base::ensure(extension != nullptr, "a payload without DmaExtension on the device side of an IOMMU");
  return *extension;
}

}  // namespace iommusim::bus
