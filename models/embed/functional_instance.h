// SPDX-License-Identifier: Apache-2.0
// An embedded IOMMU in mode functional: everything is done within the call that asks for it. Time only counts cycles of
// the performance monitor.
#pragma once

#include "embed/instance.h"

namespace iommusim::embed {

struct FunctionalStats : stats::Group {
  using stats::Group::Group;
  Counter translated{*this, "translated", Unit::kCount, "requests translated, or passed through"};
  Counter faulted{*this, "faulted", Unit::kCount, "requests answered with an error"};
};

class FunctionalInstance final : public Instance {
 public:
  FunctionalInstance(const EmbedParams& params, const iommusim_host& host);

  std::uint64_t read_register(std::uint32_t offset, std::uint32_t bytes) override;
  void write_register(std::uint32_t offset, std::uint32_t bytes, std::uint64_t value) override;
  std::uint16_t wires() const override { return registers_.wires(); }
  iommusim_result translate(const translate::Request& request) override;
  bool submit(const translate::Request& request, std::uint64_t cookie) override;
  base::Cycle now() const override { return now_; }
  void advance(base::Cycle cycle) override;
  std::string run_until_idle() override;
  bool page_request(const translate::PageRequest& request) override;
  bool invalidation_completion(const translate::InvalidationCompletion& message) override;
  void invalidation_time_out(std::uint32_t itag_vector) override;
  Mode mode() const override { return Mode::kFunctional; }

 private:
  void attach(timing::Injector& injector) override { host_.inject(&injector, now_, clock_); }
  FunctionalStats stats_;
  translate::Registers registers_;
  translate::FunctionalEngine engine_;
  base::Cycle now_ = 0;
  base::Clock clock_;  ///< for the times of a log
};

}  // namespace iommusim::embed
