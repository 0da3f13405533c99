// SPDX-License-Identifier: Apache-2.0
#include "platform/system_file.h"

#include <filesystem>

#include "params/assign.h"

namespace iommusim::platform {

SystemFile::SystemFile(const std::string& path, const std::vector<std::string>& sets, std::optional<std::uint64_t> seed)
    : path_(path), tree_(params::load_yaml_file(path)) {
  for (const std::string& set : sets) params::apply_set(tree_, set);
  params::assign(params_, tree_);
  if (seed) params_.seed = {*seed, *seed};
  const auto folder = std::filesystem::path(path).parent_path();
  for (auto& [name, device] : params_.devices)
    if (!device.trace.empty() && std::filesystem::path(device.trace).is_relative())
      device.trace = (folder / device.trace).lexically_normal().string();
  located([this] { check(params_); });
}

base::SourcePosition SystemFile::position_of(std::string_view path) const {
  base::SourcePosition position{path_, 1, 1};
  const params::Tree* at = &tree_;
  for (bool more = true; more;) {
    const std::size_t dot = path.find('.');
    at = at->find(path.substr(0, dot));
    if (at == nullptr) break;
    position = at->position;
    more = dot != std::string_view::npos;
    if (more) path.remove_prefix(dot + 1);
  }
  return position;
}

}  // namespace iommusim::platform
