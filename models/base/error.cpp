// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

namespace iommusim::base {

std::string to_prefix(const SourcePosition& position) {
  if (position.file.empty()) return {};
  std::string out = position.file;
  if (position.line != 0) {
    out += ':' + std::to_string(position.line);
    if (position.column != 0) out += ':' + std::to_string(position.column);
  }
  return out + ": ";
}

void contradiction(std::string_view what) { throw Contradiction("internal contradiction: " + std::string(what)); }

}  // namespace iommusim::base
