// SPDX-License-Identifier: Apache-2.0
// An embedded IOMMU in mode cycle: the cycle engine under the plain driver. Memory callbacks run when an access leaves
// the IOMMU; the answer reaches it `memory.cycles` later. Results and wires are told right after the cycle of the
// event.
#pragma once

#include "embed/instance.h"
#include "timing/plain_driver.h"

namespace iommusim::embed {

class CycleInstance final : public Instance {
 public:
  CycleInstance(const EmbedParams& params, const iommusim_host& host);

  std::uint64_t read_register(std::uint32_t offset, std::uint32_t bytes) override;
  void write_register(std::uint32_t offset, std::uint32_t bytes, std::uint64_t value) override;
  std::uint16_t wires() const override { return engine_.wires(); }
  iommusim_result translate(const translate::Request& request) override;
  bool submit(const translate::Request& request, std::uint64_t cookie) override;
  base::Cycle now() const override { return driver_.now(); }
  void advance(base::Cycle cycle) override;
  std::string run_until_idle() override;
  bool page_request(const translate::PageRequest& request) override;
  bool invalidation_completion(const translate::InvalidationCompletion& message) override;
  void invalidation_time_out(std::uint32_t itag_vector) override;
  Mode mode() const override { return Mode::kCycle; }

 private:
  void attach(timing::Injector& injector) override { engine_.inject(&injector); }
  void tell();

  timing::Engine engine_;
  timing::PlainDriver driver_;
};

}  // namespace iommusim::embed
