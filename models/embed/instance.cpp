// SPDX-License-Identifier: Apache-2.0
#include "embed/instance.h"

#include "embed/cycle_instance.h"
#include "embed/functional_instance.h"
#include "stats/report.h"

namespace iommusim::embed {

std::string Instance::statistics() {
  root_.advance(now());
  const stats::Snapshot snapshot(root_);
  return stats::to_json({{"measured", &snapshot}});
}

void Instance::reset_statistics() {
  root_.advance(now());
  root_.reset();
}

void Instance::inject(const std::string& name, const timing::InjectionParams& injection) {
  if (injector_.empty()) attach(injector_);
  injector_.add(name, injection);
}

std::unique_ptr<Instance> make_instance(const EmbedParams& params, const iommusim_host& host) {
  std::unique_ptr<Instance> instance;
  if (params.mode == Mode::kCycle)
    instance = std::make_unique<CycleInstance>(params, host);
  else
    instance = std::make_unique<FunctionalInstance>(params, host);
  for (const auto& [name, injection] : params.inject) instance->inject(name, injection);
  return instance;
}

}  // namespace iommusim::embed
