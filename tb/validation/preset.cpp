// SPDX-License-Identifier: Apache-2.0
#include "validation/preset.h"

#include <algorithm>

#include "params/assign.h"

namespace iommusim::validation {

Preset load_preset(const std::string& file) {
  using Entry = params::Tree::Entry;
  params::Tree tree = params::load_yaml_file(file);
  const auto drop = [](std::vector<Entry>& entries, auto&& unwanted) {
    entries.erase(std::remove_if(entries.begin(), entries.end(), unwanted), entries.end());
  };
  drop(tree.entries, [](const Entry& entry) { return entry.key != "iommu"; });
  for (Entry& iommu : tree.entries)
    drop(iommu.value.entries,
         [](const Entry& entry) { return entry.key != "implementation" && entry.key != "engine"; });
  Preset preset;
  params::assign(preset, tree);
  return preset;
}

}  // namespace iommusim::validation
