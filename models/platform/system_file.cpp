// SPDX-License-Identifier: Apache-2.0
#include "platform/system_file.h"

#include <filesystem>

#include "params/assign.h"
#include "platform/presets.h"

namespace iommusim::platform {

SystemFile::SystemFile(const std::string& path, const std::vector<std::string>& sets, std::optional<std::uint64_t> seed)
    : path_(path), tree_(params::load_yaml_file(path)) {
  read(sets, seed);
}

SystemFile::SystemFile(const SystemText& text, const std::vector<std::string>& sets, std::optional<std::uint64_t> seed)
    : path_(text.name), tree_(params::load_yaml_text(text.yaml, text.name)) {
  read(sets, seed);
}

void SystemFile::read(const std::vector<std::string>& sets, std::optional<std::uint64_t> seed) {
  for (const std::string& set : sets) params::apply_set(tree_, set);
  apply_preset(tree_);
  params::assign(params_, tree_);
  if (seed) params_.seed = {*seed, *seed};
  const auto folder = std::filesystem::path(path_).parent_path();
  for (auto& [name, device] : params_.devices)
    if (!device.trace.empty() && std::filesystem::path(device.trace).is_relative())
      device.trace = (folder / device.trace).lexically_normal().string();
  located([this] { check(params_); });
}

}  // namespace iommusim::platform
