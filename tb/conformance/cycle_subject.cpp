// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "conformance/subject.h"
#include "timing/plain_driver.h"

namespace iommusim::conformance {
namespace {

timing::PlainDriverParams driver_params(const CycleParams& params) {
  timing::PlainDriverParams driver;
  driver.memory_cycles = params.memory_cycles;
  driver.memory_jitter = params.memory_jitter;
  driver.forward_cycles = params.memory_cycles;
  return driver;
}

class CycleSubject : public Subject {
 public:
  CycleSubject(const CycleParams& params, const spec::Implementation& implementation, translate::MemoryPort& memory,
               translate::MessagePort& messages)
      : statistics_("conform"),
        engine_(params.engine, implementation, 1, statistics_),
        driver_(engine_, memory, driver_params(params)),
        messages_(messages) {
    engine_.set_commands_run_freely(false);
  }

  translate::Outcome translate(const translate::Request& request) override {
    base::ensure(driver_.offer(request, 0), "an idle IOMMU does not take a request in");
    settle();
    base::ensure(driver_.finished().size() == 1, "a request does not lead to one result");
    const translate::Outcome outcome = driver_.finished().front().outcome;
    driver_.finished().clear();
    return outcome;
  }
  void write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value) override {
    driver_.write_register(offset, bytes, value);
    settle();
  }
  std::uint64_t read_register(std::uint32_t offset, unsigned bytes) override {
    return driver_.read_register(offset, bytes);
  }
  void process_command() override {
    driver_.grant_command();
    settle();
  }
  void page_request(const translate::PageRequest& request) override {
    base::ensure(driver_.page_request(request), "an idle IOMMU does not take a page request in");
    settle();
  }
  bool invalidation_completion(const translate::InvalidationCompletion& message) override {
    const bool expected = driver_.invalidation_completion(message);
    settle();
    return expected;
  }
  void invalidation_time_out(std::uint32_t itag_vector) override {
    driver_.invalidation_time_out(itag_vector);
    settle();
  }

 private:
  void settle() {
    driver_.run_until_idle();
    for (const translate::DeviceMessage& message : driver_.messages()) messages_.send(message);
    driver_.messages().clear();
  }

  stats::Group statistics_;
  timing::Engine engine_;
  timing::PlainDriver driver_;
  translate::MessagePort& messages_;
};

class CycleMaker : public SubjectMaker {
 public:
  explicit CycleMaker(const CycleParams& params) : params_(params) {
    stats::Group statistics("conform");
    const timing::Engine checks_the_geometry(params.engine, {}, 1, statistics);
  }
  std::unique_ptr<Subject> make(const spec::Implementation& implementation, translate::MemoryPort& memory,
                                translate::MessagePort& messages) const override {
    return std::make_unique<CycleSubject>(params_, implementation, memory, messages);
  }

 private:
  CycleParams params_;
};

}  // namespace

std::unique_ptr<SubjectMaker> cycle_subjects(const CycleParams& params) { return std::make_unique<CycleMaker>(params); }

}  // namespace iommusim::conformance
