// SPDX-License-Identifier: Apache-2.0
#include "platform/presets.h"

#include <string_view>

#include "platform/preset_files.h"

namespace iommusim::platform {

params::Tree preset_tree(Preset preset) {
  if (preset == Preset::kNone) return {};
  for (const auto& row : kPresets)
    for (const PresetFile& file : kPresetFiles)
      if (row.value == preset && std::string_view(row.name) == file.name)
        return params::load_yaml_text(file.text, std::string("preset ") + file.name);
  base::contradiction("a preset has no file");
}

void apply_preset(params::Tree& system) {
  const params::Tree* const wanted = system.find("preset");
  if (wanted == nullptr) return;
  const auto* const row = base::find_choice(kPresets, wanted->scalar);
  if (row == nullptr) return;  // assign() tells of a name that is none
  const params::Tree preset = preset_tree(row->value);
  merge_under(system, preset);
  const params::Tree* const iommu = preset.find("iommu");
  for (params::Tree::Entry& group : system.entries)
    if (iommu != nullptr && group.key == "iommus")
      for (params::Tree::Entry& further : group.value.entries) merge_under(further.value, *iommu);
}

}  // namespace iommusim::platform
