// SPDX-License-Identifier: Apache-2.0
// A transaction as it reaches the IOMMU (IOMMU 2.3): it never crosses a 4 KiB border (the ingress splits), its
// addresses are bytes.
#pragma once

#include <cstdint>

#include "base/types.h"

namespace iommusim::translate {

enum class AddressType : std::uint8_t {
  kUntranslated,
  kTranslated,
  kAtsRequest,
  kMessage,  ///< a page request, of which only the device context is located; `iova` is the message code
};
enum class Access : std::uint8_t { kRead, kWrite, kAtomic };

struct Request {
  base::Iova iova{};
  std::uint32_t bytes = 0;
  base::DeviceId device{};
  base::ProcessId process{};
  bool process_valid = false;
  bool privileged = false;  ///< has meaning only with process_valid
  bool execute = false;
  bool no_write = false;    ///< ATS requests
  bool cxl = false;         ///< ATS requests of CXL type 1 or 2 devices
  bool debug = false;       ///< through the debug translation interface
  bool stores_msi = false;  ///< should it reach a memory-resident interrupt file, the IOMMU does the store itself
  std::uint32_t data = 0;   ///< stores_msi: the bytes of a write of 4, as a little-endian word
  AddressType type = AddressType::kUntranslated;
  Access access = Access::kRead;
  bool is_write() const { return access != Access::kRead; }
};

/// What the device is answered.
enum class Response : std::uint8_t { kSuccess, kUnsupportedRequest, kCompleterAbort };

}  // namespace iommusim::translate
