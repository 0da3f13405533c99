// SPDX-License-Identifier: Apache-2.0
// When two engines have answered a request alike, and sent the same message.
#pragma once

#include "base/error.h"
#include "translate/device_message.h"
#include "translate/translation.h"

namespace iommusim::timing::test {

inline std::string describe(const translate::Outcome& o) {
  std::string text = o.kind == translate::Outcome::Kind::kFault
                         ? "fault"
                         : "spa " + std::to_string(o.spa) + " size 2^" + std::to_string(o.size_log2) + " pbmt " +
                               std::to_string(o.pbmt) + (o.bypass ? " bypass" : "");
  text += " cause " + std::to_string(o.fault.cause) + " response " + std::to_string(static_cast<int>(o.response)) +
          (o.record_fault ? " recorded" : "") + " ats r" + std::to_string(o.ats.r) + "w" + std::to_string(o.ats.w) +
          "x" + std::to_string(o.ats.x) + "p" + std::to_string(o.ats.privileged) + "g" + std::to_string(o.ats.global) +
          "u" + std::to_string(o.ats.untranslated_only) + "c" + std::to_string(o.ats.cxl_io);
  if (o.is_msi)
    text += " msi " + std::to_string(o.msi.address) + (o.msi.mrif ? " mrif " : " ") +
            std::to_string(o.msi.mrif_address) + " nid " + std::to_string(o.msi.notice_id) +
            (o.msi.absorbed ? " absorbed" : "");
  return text;
}

inline std::string describe(const translate::Request& request) {
  return "device " + std::to_string(request.device.value) + " iova " + std::to_string(request.iova.value) + " type " +
         std::to_string(static_cast<int>(request.type)) + " access " +
         std::to_string(static_cast<int>(request.access)) + (request.execute ? " execute" : "") +
         (request.no_write ? " no write" : "") +
         (request.process_valid ? " process " + std::to_string(request.process.value) : "") +
         (request.privileged ? " privileged" : "");
}

/// Everything but what belongs to no answer: `msi` without MSI, the ATS fields of another kind of request. A request
/// that asks for no write permission is granted it or not, as D was set before or after it (IOMMU 2.6).
inline std::string comparable(const translate::Request& request, translate::Outcome outcome) {
  const bool granted = outcome.kind == translate::Outcome::Kind::kTranslated;
  if (request.type != translate::AddressType::kAtsRequest || !granted) outcome.ats = {};
  if (request.no_write) outcome.ats.w = false;
  if (!granted) outcome.is_msi = false;
  return describe(outcome);
}

inline void compare_answers(const translate::Request& request, const translate::Outcome& functional,
                            const translate::Outcome& other) {
  if (comparable(request, functional) != comparable(request, other))
    base::contradiction("answers differ: " + describe(request) + "\n  functional " + comparable(request, functional) +
                        "\n  other      " + comparable(request, other));
}

inline bool same_message(const translate::DeviceMessage& a, const translate::DeviceMessage& b) {
  return a.kind == b.kind && a.function == b.function && a.process_valid == b.process_valid &&
         a.process.value == b.process.value && a.payload == b.payload && a.itag == b.itag;
}

}  // namespace iommusim::timing::test
