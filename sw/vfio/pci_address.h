// SPDX-License-Identifier: Apache-2.0
// The place of a function in the PCI hierarchy, and its name in sysfs, e.g. 0000:00:04.0.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

namespace iommusim::vfio {

struct PciAddress {
  std::uint16_t segment = 0;
  std::uint8_t bus = 0;
  std::uint8_t devfn = 0;  ///< device << 3 | function

  bool on_same_bus(const PciAddress& other) const { return segment == other.segment && bus == other.bus; }

  std::string name() const {
    char text[16];
    std::snprintf(text, sizeof text, "%04x:%02x:%02x.%u", segment, bus, devfn >> 3, devfn & 7U);
    return text;
  }
  /// False: `text` is not a full name.
  static bool parse(const std::string& text, PciAddress& out) {
    unsigned segment = 0, bus = 0, device = 0, function = 0;
    int used = 0;
    if (std::sscanf(text.c_str(), "%4x:%2x:%2x.%1u%n", &segment, &bus, &device, &function, &used) != 4) return false;
    if (static_cast<std::size_t>(used) != text.size() || device > 31 || function > 7) return false;
    out = {static_cast<std::uint16_t>(segment), static_cast<std::uint8_t>(bus),
           static_cast<std::uint8_t>(device << 3 | function)};
    return out.name() == text;
  }
};

}  // namespace iommusim::vfio
