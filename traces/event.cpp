// SPDX-License-Identifier: Apache-2.0
#include "traces/event.h"

#include <fmt/format.h>

#include "base/error.h"
#include "traces/scan.h"

namespace iommusim::traces {

std::string to_string(Source source) {
  const unsigned bdf = source.bdf;
  const std::string text = fmt::format("{:02x}:{:02x}.{}", bdf >> 8, (bdf >> 3) & 0x1f, bdf & 7);
  return source.segment == 0 ? text : fmt::format("{:04x}:{}", source.segment, text);
}

Source parse_source(std::string_view text) {
  const std::string terminated(text);  // ends in a NUL, which no field contains
  const char* at = terminated.c_str();
  Source source;
  if (scan_source(at, source) != Scan::kOk || at != terminated.c_str() + terminated.size())
    throw base::InputError("source '" + terminated +
                           "' is not a PCI address, expected bb:dd.f or ssss:bb:dd.f in lower-case hex");
  return source;
}

bool operator==(const Event& a, const Event& b) {
  return a.time_ns == b.time_ns && a.source == b.source && a.op == b.op && a.iova == b.iova && a.bytes == b.bytes &&
         a.has_pa == b.has_pa && (!a.has_pa || a.pa == b.pa);
}

}  // namespace iommusim::traces
