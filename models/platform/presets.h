// SPDX-License-Identifier: Apache-2.0
// IOMMUs to begin with: each is a YAML file under presets/ with every field of `iommu`, compiled into the program. A
// preset contains only what any system file can say; what a system says itself stands above it. Adding one: the file,
// a row here and in CMakeLists.txt.
#pragma once

#include <string>

#include "base/choice.h"
#include "params/tree.h"

namespace iommusim::platform {

enum class Preset : std::uint8_t { kNone, kServer, kEmbedded, kSerialRtl, kIdeal, kOff };
inline constexpr base::Choice<Preset> kPresets[] = {
    {"none", "the defaults of this list", Preset::kNone},
    {"server", "a server's: many walkers and requests, caches of every kind, ATS", Preset::kServer},
    {"embedded", "a small one beside a few on-chip devices: one walker, small caches", Preset::kEmbedded},
    {"serial-rtl", "one translation at a time: the machine of docs/validation.md", Preset::kSerialRtl},
    {"ideal", "translation costs nothing: the upper bound", Preset::kIdeal},
    {"off", "the IOMMU passes everything through; what DMA does without it", Preset::kOff},
};

/// The preset's file; a kNull tree for kNone. Positions name the preset.
params::Tree preset_tree(Preset preset);

/// Looks for the key `preset` in a system's tree, and puts that preset under what the tree says of each of its IOMMUs.
void apply_preset(params::Tree& system);

}  // namespace iommusim::platform
