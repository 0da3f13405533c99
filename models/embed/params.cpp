// SPDX-License-Identifier: Apache-2.0
#include "embed/params.h"

#include "params/assign.h"

namespace iommusim::embed {

namespace {

struct Objection {
  std::string path;
  std::string text;
};

/// What contradicts itself although each value is in range; an empty text: nothing.
Objection object_to(const EmbedParams& params) {
  if (const char* what = params.implementation.contradiction(); what != nullptr) return {"implementation", what};
  for (const auto& [name, injection] : params.inject)
    if (const auto [field, text] = timing::object_to(injection, injection_scope(params.mode)); !field.empty())
      return {"inject." + name + "." + field, text};
  if (params.mode == Mode::kFunctional) return {};
  const auto& [first, second, lookup_cycles, ports] = params.engine.walk_cache;
  const struct {
    const char* path;
    const timing::CacheParams& cache;
  } caches[] = {
      {"engine.ddt_cache", params.engine.ddt_cache},
      {"engine.pdt_cache", params.engine.pdt_cache},
      {"engine.directory_cache", params.engine.directory_cache},
      {"engine.iotlb", params.engine.iotlb},
      {"engine.walk_cache.first_stage.level1", first.level1},
      {"engine.walk_cache.first_stage.level2", first.level2},
      {"engine.walk_cache.first_stage.level3", first.level3},
      {"engine.walk_cache.first_stage.level4", first.level4},
      {"engine.walk_cache.second_stage.level1", second.level1},
      {"engine.walk_cache.second_stage.level2", second.level2},
      {"engine.walk_cache.second_stage.level3", second.level3},
      {"engine.walk_cache.second_stage.level4", second.level4},
  };
  for (const auto& [path, cache] : caches)
    if (const char* what = cache.contradiction(); what != nullptr) return {std::string(path) + ".ways", what};
  return {};
}

EmbedParams params_of_tree(const params::Tree& tree, const std::string& file) {
  EmbedParams result;
  params::assign(result, tree);
  if (const auto [path, text] = object_to(result); !text.empty())
    throw base::InputError(params::position_of(tree, path, file), path + ": " + text);
  return result;
}

}  // namespace

timing::InjectionParams injection_of_text(const char* yaml, Mode mode) {
  const params::Tree tree = params::load_yaml_text(yaml, "yaml");
  timing::InjectionParams result;
  params::assign(result, tree);
  if (const auto [field, text] = timing::object_to(result, injection_scope(mode)); !field.empty())
    throw base::InputError(params::position_of(tree, field, "yaml"), field + ": " + text);
  return result;
}

EmbedParams params_of_text(const char* yaml) { return params_of_tree(params::load_yaml_text(yaml, "yaml"), "yaml"); }

EmbedParams params_of_file(const char* path) { return params_of_tree(params::load_yaml_file(path), path); }

}  // namespace iommusim::embed
