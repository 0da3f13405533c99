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
  if (row != nullptr) merge_under(system, preset_tree(row->value));  // assign() tells of a name that is none
}

}  // namespace iommusim::platform
