// SPDX-License-Identifier: Apache-2.0
// PCIe ATS translation requests as TLM payloads: a READ of 8 bytes at the untranslated address, with
// DmaExtension::type kAtsRequest. This extension carries what the request asks beyond that, and the completion: valid
// when DmaExtension::response is success. Mandatory on such payloads, ignored on others.
// Model: one translation a request.
#pragma once

#include "base/error.h"
#include "tlm/systemc.h"
#include "translate/translation.h"

namespace iommusim::bus {

inline constexpr std::uint32_t kAtsRequestBytes = 8;

class AtsExtension : public ::tlm::tlm_extension<AtsExtension> {
 public:
  // Request.
  bool no_write = false;
  bool cxl = false;
  // Completion; with neither R nor W the rest has no meaning.
  translate::AtsCompletion completion{};
  std::uint64_t address = 0;    ///< of the request's address, translated
  std::uint8_t size_log2 = 12;  ///< of the naturally aligned range that translates alike

  ::tlm::tlm_extension_base* clone() const override { return new AtsExtension(*this); }
  void copy_from(const ::tlm::tlm_extension_base& other) override { *this = static_cast<const AtsExtension&>(other); }
};

/// The extension of a translation request; one without it is a wiring error.
inline AtsExtension& ats_of(const Payload& payload) {
  auto* extension = payload.get_extension<AtsExtension>();
  base::ensure(extension != nullptr, "an ATS translation request without AtsExtension");
  return *extension;
}

}  // namespace iommusim::bus
