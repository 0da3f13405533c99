// SPDX-License-Identifier: Apache-2.0
// The part of a preset (models/platform/presets) that is about the architecture and the cycle engine.
#pragma once

#include <string>

#include "spec/parameters.h"
#include "timing/params.h"

namespace iommusim::validation {

struct Preset {
  struct Iommu {
    spec::Implementation implementation{};
    timing::EngineParams engine{};

    template <class V>
    static constexpr void describe(V&& v) {
      v.group("implementation", &Iommu::implementation, "what the implementation chooses of the architecture");
      v.group("engine", &Iommu::engine, "micro-architecture");
    }
  } iommu{};

  template <class V>
  static constexpr void describe(V&& v) {
    v.group("iommu", &Preset::iommu, "the IOMMU");
  }
};

/// InputError for a file that is none; other parts of it are passed over.
Preset load_preset(const std::string& file);

}  // namespace iommusim::validation
