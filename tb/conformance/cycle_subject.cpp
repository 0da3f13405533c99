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
  CycleSubject(const CycleParams& params, const spec::Implementation& implementation, translate::MemoryPort& memory)
      : statistics_("conform"),
        engine_(params.engine, implementation, 1, statistics_),
        driver_(engine_, memory, driver_params(params)) {}

  translate::Outcome translate(const translate::Request& request) override {
    base::ensure(driver_.offer(request, 0), "an idle IOMMU does not take a request in");
    driver_.run_until_idle();
    base::ensure(driver_.finished().size() == 1, "a request does not lead to one result");
    const translate::Outcome outcome = driver_.finished().front().outcome;
    driver_.finished().clear();
    return outcome;
  }
  void write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value) override {
    driver_.write_register(offset, bytes, value);
    driver_.run_until_idle();
  }
  std::uint64_t read_register(std::uint32_t offset, unsigned bytes) override {
    return driver_.read_register(offset, bytes);
  }
  bool commands_run_freely() const override { return true; }
  void process_command() override { driver_.run_until_idle(); }
  void page_request(const translate::PageRequest&) override { refuse(); }
  bool invalidation_completion(const translate::InvalidationCompletion&) override { refuse(); }
  void invalidation_time_out(std::uint32_t) override { refuse(); }

 private:
  [[noreturn]] static void refuse() { base::contradiction("an IOMMU without ATS was given an ATS message"); }

  stats::Group statistics_;
  timing::Engine engine_;
  timing::PlainDriver driver_;
};

class CycleMaker : public SubjectMaker {
 public:
  explicit CycleMaker(const CycleParams& params) : params_(params) {
    stats::Group statistics("conform");
    const timing::Engine checks_the_geometry(params.engine, {}, 1, statistics);
  }
  const char* unsupported(const spec::Implementation& implementation) const override {
    return timing::Engine::unsupported(implementation);
  }
  std::unique_ptr<Subject> make(const spec::Implementation& implementation, translate::MemoryPort& memory,
                                translate::MessagePort&) const override {
    return std::make_unique<CycleSubject>(params_, implementation, memory);
  }

 private:
  CycleParams params_;
};

}  // namespace

std::unique_ptr<SubjectMaker> cycle_subjects(const CycleParams& params) { return std::make_unique<CycleMaker>(params); }

}  // namespace iommusim::conformance
