// SPDX-License-Identifier: Apache-2.0
// PCIe messages between devices and the IOMMU as TLM payloads, with DmaExtension::type kMessage and no data.
// Upstream a message travels on the socket of the device's DMA, in order with it: PCIe's rule that a message does not
// pass posted writes sent before it (an Invalidation Completion must push them ahead) holds by construction. It is
// posted: the IOMMU answers it as soon as it took it, and the answer takes no time of the link.
// Downstream a message is the answer to a *credit*: the device sends payloads of kind kCredit ahead, the IOMMU keeps
// them and answers one with each message to that function. So credits are the device's receive buffers, messages find
// their way back as answers do, and a function that never gave a credit does not exist for messages. An IOMMU whose
// message is for a function out of credits waits with all its messages: a device gives one for each that may come.
#pragma once

#include "base/error.h"
#include "tlm/dma_extension.h"
#include "translate/device_message.h"

namespace iommusim::bus {

/// PCIe: an Invalidation Request carries the range as data; the other messages have all in their header.
inline constexpr std::uint32_t kInvalidationBodyBytes = 8;
/// Credits that one port of a bus may have with the IOMMU.
inline constexpr unsigned kMaxMessageCredits = 1024;

class MessageExtension : public ::tlm::tlm_extension<MessageExtension> {
 public:
  enum class Kind : std::uint8_t { kCredit, kPageRequest, kInvalidationCompletion };
  Kind kind = Kind::kCredit;
  translate::PageRequest page_request{};           ///< kPageRequest; `function` is that of DmaExtension::device
  translate::InvalidationCompletion completion{};  ///< kInvalidationCompletion; `function` is that of the request
  translate::DeviceMessage message{};              ///< kCredit: set by the IOMMU, before BEGIN_RESP

  ::tlm::tlm_extension_base* clone() const override { return new MessageExtension(*this); }
  void copy_from(const ::tlm::tlm_extension_base& other) override {
    *this = static_cast<const MessageExtension&>(other);
  }
};

inline bool is_message(const DmaExtension& dma) { return dma.type == translate::AddressType::kMessage; }
inline bool is_message(const Payload& payload) { return is_message(dma_of(payload)); }

/// The extension of a message; a message without it is a wiring error.
inline MessageExtension& message_of(const Payload& payload) {
  auto* extension = payload.get_extension<MessageExtension>();
  base::ensure(extension != nullptr, "a message without MessageExtension");
  return *extension;
}

inline bool is_credit(const Payload& payload) {
  return is_message(payload) && message_of(payload).kind == MessageExtension::Kind::kCredit;
}

}  // namespace iommusim::bus
