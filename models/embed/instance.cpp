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

std::unique_ptr<Instance> make_instance(const EmbedParams& params, const iommusim_host& host) {
  if (params.mode == Mode::kCycle) return std::make_unique<CycleInstance>(params, host);
  return std::make_unique<FunctionalInstance>(params, host);
}

}  // namespace iommusim::embed
