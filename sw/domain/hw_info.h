// SPDX-License-Identifier: Apache-2.0
// What the driver of an IOMMU tells programs about the hardware: a type, and the bytes of that type's structure.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

namespace iommusim::domain {

struct HwInfo {
  std::uint32_t type = 0;  ///< 0: nothing is told
  std::vector<unsigned char> data;

  template <class Structure>
  static HwInfo of(std::uint32_t type, const Structure& structure) {
    HwInfo info{type, std::vector<unsigned char>(sizeof structure)};
    std::memcpy(info.data.data(), &structure, sizeof structure);
    return info;
  }
};

}  // namespace iommusim::domain
